import { describe, expect, it } from 'vitest';
import type { DemoReport } from '../../src/cli/demo.ts';
import { bytesText, countText, numberText, percent, points, printable } from '../../src/cli/format.ts';
import { reportJson, reportText, styleFor } from '../../src/cli/report.ts';
import { Sink } from './streams.ts';

function reportOf(merged: number, children = 8): DemoReport {
  const results = [
    {
      name: 'alone',
      accuracy: 0.918,
      accuracyMin: 0.9,
      accuracyMax: 0.93,
      rounds: 0,
      epochs: 60,
      bytes: 0,
      seconds: 1,
    },
    { name: 'gradients', accuracy: 0.97, rounds: 200, epochs: 200, bytes: 31_500_000, seconds: 5.25 },
    { name: 'parameters', accuracy: merged, rounds: 30, epochs: 60, bytes: 4_800, seconds: 2 },
    { name: 'central', accuracy: 0.972, rounds: 0, epochs: 60, bytes: 0, seconds: 3 },
  ] as const;
  const rowsPerChild = Array.from({ length: children }, () => 10);
  return {
    seed: 3,
    children,
    childrenRanIn: '2 worker threads',
    trainingRows: 80,
    heldOutRows: 20,
    splits: [
      { name: 'even', rowsPerChild, classesPerChild: rowsPerChild.map(() => 10), results },
      {
        name: 'skewed',
        rowsPerChild,
        classesPerChild: rowsPerChild.map((_, child) => 2 + (child % 2)),
        results,
      },
    ],
    scaling: [
      { name: 'unscaled', accuracy: 0.198, rounds: 20, epochs: 80, bytes: 4_000, seconds: 1 },
      { name: 'scaled', accuracy: 0.961, rounds: 20, epochs: 80, bytes: 4_100, seconds: 1 },
    ],
  };
}

const plain = styleFor(new Sink());
const rowsOf = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('│'))
    .map((line) =>
      line
        .split('│')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

describe('reportText', () => {
  it('says what a scaler changed', () => {
    expect(reportText(reportOf(0.969), plain)).toContain(
      'raw pixels, 0–16: merged 19.8 % without a scaler, 96.1 % behind a StandardScaler',
    );
  });

  it('has one table with a row for each way to train on each split', () => {
    const [head, ...rows] = rowsOf(reportText(reportOf(0.969), plain));
    expect(head).toEqual(['split', 'training', 'accuracy', 'rounds', 'bytes', 'seconds']);
    expect(rows.length).toBe(10);
    expect(rows[8]).toEqual(['raw', 'parameters, no scaler', '19.8 %', '20', '4.0 kB', '1.0']);
    expect(rows[9]).toEqual(['', 'parameters, scaler', '96.1 %', '20', '4.1 kB', '1.0']);
    expect(rows[0]).toEqual(['even', 'each child alone', '91.8 %', '–', '–', '1.0']);
    expect(rows[1]).toEqual(['', 'gradients coordinator', '97.0 %', '200', '31.5 MB', '5.3']);
    expect(rows[2]).toEqual(['', 'parameters coordinator', '96.9 %', '30', '4.8 kB', '2.0']);
    expect(rows[4]?.[0]).toBe('skewed');
  });

  it('fits into 80 columns', () => {
    for (const line of reportText(reportOf(0.969), plain).split('\n'))
      expect(line.length).toBeLessThanOrEqual(80);
  });

  it('says how the splits compare, and which bars were met', () => {
    const text = reportText(reportOf(0.969), plain);
    expect(text).toContain('even split: merged 96.9 %, central 97.2 %, children alone 91.8 % (90.0–93.0)');
    expect(text).toContain('a child sees 2 or 3 of 10 digits');
    expect(text.match(/ met /g)?.length).toBe(3);
    expect(text).not.toContain('missed');
  });

  it('says which were missed', () => {
    const text = reportText(reportOf(0.94), plain);
    expect(text).toContain('missed at least 95.0 %: 94.0 %');
    expect(text).toContain('missed at most 1.5 points behind central: 3.2 points');
    expect(text).toContain('missed at least 3.0 points ahead of alone: 2.2 points');
  });

  it('promises nothing for another number of children', () => {
    expect(reportText(reportOf(0.94, 4), plain)).not.toMatch(/ met | missed /);
  });

  it('has colours in a terminal only', () => {
    const esc = String.fromCharCode(27);
    expect(reportText(reportOf(0.969), plain)).not.toContain(esc);
    expect(reportText(reportOf(0.969), (_format, text) => `${esc}[1m${text}${esc}[0m`)).toContain(esc);
  });
});

it('reportJson is the report', () => {
  expect(JSON.parse(reportJson(reportOf(0.969)))).toEqual(reportOf(0.969));
});

it('numbers are short and have units', () => {
  expect([percent(0.9694), percent(1), points(0.0123)]).toEqual(['96.9 %', '100.0 %', '1.2 points']);
  expect([bytesText(5.25e9), countText(1_234_567)]).toEqual(['5.3 GB', '1,234,567']);
  const numbers = [0, 1, -12.345, 0.051_26, 999.9, 1234.5, 123_456, -0.001_234, 1e-300, 1 / 3];
  expect(numbers.map(numberText)).toEqual([
    '0',
    '1',
    '-12.3',
    '0.0513',
    '1000',
    '1235',
    '1.2e5',
    '-1.2e-3',
    '1.0e-300',
    '0.333',
  ]);
  expect([bytesText(999), bytesText(4_820), bytesText(31_460_000)]).toEqual(['999 B', '4.8 kB', '31.5 MB']);
});

it('what cannot be printed is written as an escape', () => {
  expect(printable('a\u001b[31m\n\u202e😀é\u2028')).toBe('a\\u{1b}[31m\\u{a}\\u{202e}😀é\\u{2028}');
});
