import { styleText } from 'node:util';
import Table from 'cli-table3';
import type { DemoReport, SplitReport } from './demo.ts';
import { bytesText, percent, points, wayTitles } from './format.ts';
import type { Result, WayName } from './setting.ts';

/** What the even split must reach; scripts/check-demo.mjs holds every release to it. */
const mergedAccuracyMin = 0.95;
const centralLeadMax = 0.015;
const leadOverAloneMin = 0.03;
const childrenOfTargets = 8;

/** Colours a text where whoever reads it can see colours. */
export type Style = (format: 'bold' | 'dim' | 'green' | 'red', text: string) => string;

/** A style for a stream: none in pipes and files, nor where NO_COLOR is set. */
export function styleFor(stream: NodeJS.WritableStream): Style {
  return (format, text) => styleText(format, text, { stream });
}

/** One JSON document, the whole report. */
export function reportJson(report: object): string {
  return `${JSON.stringify(report, undefined, 2)}\n`;
}

/** The table, and below it how the even split compares, for people. */
export function reportText(report: DemoReport, style: Style): string {
  const lines = [
    describe(report),
    table(report, style),
    ...report.splits.map((split) => compare(split, style)),
    compareScaling(report, style),
    ...targets(report, style),
  ];
  return `${lines.join('\n')}\n`;
}

function describe({ seed, children, childrenRanIn, trainingRows, heldOutRows, splits }: DemoReport): string {
  const skewed = splits.find(({ name }) => name === 'skewed');
  const seen = [...new Set(skewed?.classesPerChild)].sort((a, b) => a - b).join(' or ');
  const epochs = skewed?.results.find(({ name }) => name === 'parameters')?.epochs;
  return [
    `Handwritten digits, network 64-32-10, ${children} children, seed ${seed}.`,
    `${trainingRows} rows to train on, ${heldOutRows} held out. Skewed: a child sees ${seen} of 10 digits.`,
    `Alone, merged and central train for ${epochs} epochs each.`,
    `Children of a coordinator ran in ${childrenRanIn}.`,
  ].join('\n');
}

function table({ splits, scaling }: DemoReport, style: Style): string {
  const head = ['split', 'training', 'accuracy', 'rounds', 'bytes', 'seconds'];
  const rows = new Table({
    head: head.map((title) => style('bold', title)),
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right'],
    // Its own colours would go into pipes too.
    style: { head: [], border: [], compact: true },
  });
  for (const { name, results } of [...splits, { name: 'raw', results: scaling }]) {
    results.forEach((result, index) => {
      rows.push([index === 0 ? name : '', ...cells(result)]);
    });
  }
  return rows.toString();
}

function cells({ name, accuracy, rounds, bytes, seconds }: Result): string[] {
  return [
    wayTitles[name],
    percent(accuracy),
    rounds === 0 ? '–' : String(rounds),
    bytes === 0 ? '–' : bytesText(bytes),
    seconds.toFixed(1),
  ];
}

function accuracyOf({ results }: SplitReport, name: WayName): number {
  return results.find((result) => result.name === name)?.accuracy ?? Number.NaN;
}

function compare(split: SplitReport, style: Style): string {
  const [merged, central, mean] = (['parameters', 'central', 'alone'] as const).map((name) =>
    percent(accuracyOf(split, name)),
  );
  const alone = split.results.find(({ name }) => name === 'alone');
  const [worst, best] = [alone?.accuracyMin, alone?.accuracyMax].map((share = Number.NaN) =>
    (share * 100).toFixed(1),
  );
  const text = `merged ${merged}, central ${central}, children alone ${mean} (${worst}–${best})`;
  return `${style('bold', `${split.name} split:`)} ${text}`;
}

/** What a scaler changed. */
function compareScaling({ scaling }: DemoReport, style: Style): string {
  const [without, behind] = scaling.map(({ accuracy }) => percent(accuracy));
  return [
    `${style('bold', 'raw pixels, 0–16:')} merged ${without} without a scaler, ${behind} behind a StandardScaler`,
    "  fitted on the children's statistics (even split, plain gradient descent)",
  ].join('\n');
}

/** Whether the even split reached what it must. That is a matter of 8 children; of other numbers nothing is said. */
function targets({ children, splits }: DemoReport, style: Style): string[] {
  const even = splits.find(({ name }) => name === 'even');
  if (even === undefined || children !== childrenOfTargets) return [];
  const merged = accuracyOf(even, 'parameters');
  const behind = accuracyOf(even, 'central') - merged;
  const lead = merged - accuracyOf(even, 'alone');
  const line = (isMet: boolean, text: string): string =>
    `  ${isMet ? style('green', 'met   ') : style('red', 'missed')} ${text}`;
  return [
    'Merged, even split:',
    line(merged >= mergedAccuracyMin, `at least ${percent(mergedAccuracyMin)}: ${percent(merged)}`),
    line(behind <= centralLeadMax, `at most ${points(centralLeadMax)} behind central: ${points(behind)}`),
    line(lead >= leadOverAloneMin, `at least ${points(leadOverAloneMin)} ahead of alone: ${points(lead)}`),
  ];
}
