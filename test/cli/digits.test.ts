import { seededRandom } from 'mainstem';
import { describe, expect, it } from 'vitest';
import { holdOut, loadDigits, pickRows, readDigits, rowsByClass } from '../../src/cli/digits.ts';

const header = [...Array.from({ length: 64 }, (_, column) => `p${column}`), 'label'].join(',');
const line = (pixel: number | string, label: number | string): string =>
  `${[...Array.from({ length: 64 }, () => pixel), label].join(',')}`;

describe('loadDigits', () => {
  const digits = loadDigits();

  it('reads 1,797 rows of 64 pixels, scaled to 0 to 1', () => {
    const { data, rows, columns } = digits.features;
    expect([rows, columns, data.length]).toEqual([1797, 64, 1797 * 64]);
    expect(Math.min(...data)).toBe(0);
    expect(Math.max(...data)).toBe(1);
    expect(data[2]).toBe(5 / 16);
  });

  it('reads the labels: about 180 of each digit', () => {
    const sizes = [...rowsByClass(digits.labels)].map(([label, rows]) => [label, rows.length]);
    expect(sizes.map(([label]) => label)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(sizes.map(([, size]) => size)).toEqual([178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
  });
});

describe('readDigits', () => {
  it('reads lines with any ending', () => {
    const { features, labels } = readDigits(`${header}\r\n${line(16, 3)}\r\n${line(0, 9)}\r\n`);
    expect(labels).toEqual([3, 9]);
    expect([features.data[0], features.data[64]]).toEqual([1, 0]);
  });

  it.each([
    ['', 'the first line must name 64 pixels and label'],
    ['a,b\n1,2\n', 'the first line must name 64 pixels and label'],
    [`${header}\n`, 'there are no rows'],
    [`${header}\n${line(1, 1)}\n1,2,3\n`, 'line 3 has 3 columns, expected 65'],
    [`${header}\n${line(17, 1)}\n`, 'line 2 has "17", expected a whole number, 0 to 16'],
    [`${header}\n${line('', 1)}\n`, 'line 2 has ""'],
    [`${header}\n${line(1, 10)}\n`, 'line 2 has "10", expected a whole number, 0 to 9'],
    [`${header}\n${line(1, 'one')}\n`, 'line 2 has "one"'],
  ])('says what is wrong (%#)', (csv, message) => {
    expect(() => readDigits(csv)).toThrow(message);
  });
});

describe('holdOut', () => {
  const digits = loadDigits();
  // A row's first pixel tells nothing; its place does.
  const numbered = {
    features: {
      data: Float32Array.from(digits.labels, (_, row) => row),
      rows: digits.labels.length,
      columns: 1,
    },
    labels: digits.labels,
  };

  it('holds out a fifth of each class, and every row is on one side', () => {
    const { training, heldOut } = holdOut(numbered, 0.2, seededRandom(5));
    const all = [...training.features.data, ...heldOut.features.data].sort((a, b) => a - b);
    expect(all).toEqual(digits.labels.map((_, row) => row));
    const sizes = rowsByClass(digits.labels);
    for (const [label, rows] of rowsByClass(heldOut.labels)) {
      expect(rows.length).toBe(Math.round((sizes.get(label)?.length ?? 0) * 0.2));
    }
    heldOut.labels.forEach((label, row) => {
      expect(digits.labels[heldOut.features.data[row] as number]).toBe(label);
    });
  });

  it('depends on the seed, and on nothing else', () => {
    const choose = (seed: number): number[] => [
      ...holdOut(numbered, 0.2, seededRandom(seed)).heldOut.features.data,
    ];
    expect(choose(1)).toEqual(choose(1));
    expect(choose(1)).not.toEqual(choose(2));
  });
});

describe('pickRows', () => {
  it('keeps features and labels together', () => {
    const rows = {
      features: { data: new Float32Array([1, 2, 3, 4, 5, 6]), rows: 3, columns: 2 },
      labels: [7, 8, 9],
    };
    expect(pickRows(rows, [2, 0])).toEqual({
      features: { data: new Float32Array([5, 6, 1, 2]), rows: 2, columns: 2 },
      labels: [9, 7],
    });
  });
});
