import Table from 'cli-table3';
import type { Architecture, JsonValue } from 'mainstem';
import { bytesText, countText, numberText, printable } from './format.ts';
import type { InspectReport, TensorReport } from './inspect.ts';
import type { Style } from './report.ts';
import { histogramText } from './tensorStatistics.ts';

/** A name is cut in its middle where the table would be wider than the terminal, but not below this. */
const nameColumnsMin = 12;
const valueColumnsMax = 300;

/** What is in a file, for people: a summary, the tensors, the totals. `columns` is the width of the terminal. */
export function inspectText(
  report: InspectReport,
  style: Style,
  columns: number = Number.POSITIVE_INFINITY,
): string {
  const facts = summary(report);
  const width = Math.max(...facts.map(([name]) => name.length));
  const lines = [
    `${style('bold', printable(report.file))}  ${bytesText(report.bytes)}, ${report.format}`,
    ...facts.flatMap(([name, text]) => {
      const [first, ...more] = wrap(text, columns - width - 2);
      return [
        `${style('dim', name.padEnd(width))}  ${first}`,
        ...more.map((line) => `${' '.repeat(width + 2)}${line}`),
      ];
    }),
    ...(report.tensors.length === 0 ? [] : ['', ...table(report.tensors, style, columns)]),
    '',
    totals(report.tensors, style),
  ];
  return `${lines.join('\n')}\n`;
}

/** What is known besides the tensors, by name. */
function summary({
  architecture,
  sampleCount,
  baseVersion,
  metadata,
  tensors,
}: InspectReport): [string, string][] {
  const facts: [string, string][] = architectureFacts(architecture, tensors);
  if (sampleCount !== null) facts.push(['trained on', `${countText(sampleCount)} rows`]);
  if (baseVersion !== null) facts.push(['base version', String(baseVersion)]);
  // What mainstem wrote there is shown already.
  const own = metadata.format?.startsWith('mainstem/') === true;
  const shown = ['format', 'architecture', 'sampleCount', 'baseVersion', 'tensors'];
  for (const [key, value] of Object.entries(metadata)) {
    if (!own || !shown.includes(key)) facts.push(['metadata', `${clip(key)}: ${clip(value)}`]);
  }
  return facts;
}

function architectureFacts(
  architecture: Architecture | null,
  tensors: readonly TensorReport[],
): [string, string][] {
  if (architecture === null) return [['model', 'not named']];
  const { model, activations, preprocessing, classes, ...rest } = architecture;
  const facts: [string, string][] = [['model', textOf(model)]];
  const chain = layersText(activations, tensors);
  if (chain !== undefined) facts.push(['layers', chain]);
  if (Array.isArray(classes))
    facts.push(['classes', `${classes.length}: ${clip(classes.map(textOf).join(', '))}`]);
  if (preprocessing !== undefined) facts.push(['preprocessing', stepsText(preprocessing)]);
  for (const [key, value] of Object.entries(rest)) facts.push([clip(key), textOf(value)]);
  return facts;
}

/** `64 → 32 relu → 10 softmax`; a regression has one layer and does not name its activation. */
function layersText(
  activations: JsonValue | undefined,
  tensors: readonly TensorReport[],
): string | undefined {
  const shapes = tensors
    .filter(({ name, shape }) => /^(layers\.\d+\.)?weights$/.test(name) && shape.length === 2)
    .map(({ shape }) => shape);
  if (shapes.length === 0) return undefined;
  const names = Array.isArray(activations) ? activations.map(textOf) : [];
  const units = shapes.map((shape, index) => `${shape[1]} ${names[index] ?? ''}`.trimEnd());
  return [shapes[0]?.[0], ...units].join(' → ');
}

function stepsText(preprocessing: JsonValue): string {
  const { columns, steps } = (preprocessing ?? {}) as { columns?: JsonValue; steps?: JsonValue };
  if (!Array.isArray(steps)) return textOf(preprocessing);
  const names = (steps as readonly { name?: JsonValue; columns?: JsonValue }[]).map((step) => {
    const count = Array.isArray(step?.columns) ? step.columns.length : 0;
    return `${textOf(step?.name)} (${count})`;
  });
  return `${textOf(columns)} columns: ${names.join(', ')}`;
}

/** cli-table3 without any line. */
const noBorders = Object.fromEntries(
  'top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid middle'
    .split(' ')
    .map((part) => [part, '']),
);

const titles = ['tensor', 'shape', 'type', 'values', 'norm', 'min', 'mean', 'max', 'spread'];
const isLeft = (title: string): boolean => ['tensor', 'shape', 'type', 'spread'].includes(title);

function table(tensors: readonly TensorReport[], style: Style, columns: number): string[] {
  const hasNonFinite = tensors.some(({ statistics }) => (statistics?.nonFinite ?? 0) > 0);
  const head = hasNonFinite ? titles.toSpliced(-1, 0, 'NaN/∞') : titles;
  const rows = tensors.map((tensor) => cells(tensor, hasNonFinite));
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const others = widths.slice(1).reduce((sum, width) => sum + width, 0);
  const gaps = head.length - 1;
  // Two spaces between columns where there is room.
  const gap = (widths[0] as number) + others + 2 * gaps <= columns ? 2 : 1;
  const nameColumns = Math.max(nameColumnsMin, columns - others - gap * gaps);
  const borderless = new Table({
    head: head.map((title) => style('bold', title)),
    colAligns: head.map((title) => (isLeft(title) ? 'left' : 'right')),
    chars: noBorders,
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': gap },
  });
  for (const [name = '', ...rest] of rows) borderless.push([cutMiddle(name, nameColumns), ...rest]);
  return borderless
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
}

function cells({ name, shape, dtype, values, statistics }: TensorReport, hasNonFinite: boolean): string[] {
  const number = (value: number | null | undefined): string => (value == null ? '–' : numberText(value));
  return [
    printable(name),
    shape.length === 0 ? 'number' : shape.join('×'),
    dtype,
    countText(values),
    number(statistics?.norm),
    number(statistics?.min),
    number(statistics?.mean),
    number(statistics?.max),
    ...(hasNonFinite ? [statistics === null ? '–' : countText(statistics.nonFinite)] : []),
    statistics === null ? '' : histogramText(statistics.histogram),
  ];
}

function totals(tensors: readonly TensorReport[], style: Style): string {
  if (tensors.length === 0) return 'There are no tensors.';
  const values = tensors.reduce((sum, tensor) => sum + tensor.values, 0);
  const known = tensors.flatMap(({ statistics }) => statistics ?? []);
  const norm = Math.sqrt(known.reduce((sum, statistics) => sum + statistics.norm ** 2, 0));
  const nonFinite = known.reduce((sum, statistics) => sum + statistics.nonFinite, 0);
  const unread = tensors.length - known.length;
  const parts = [
    counted(tensors.length, 'tensor'),
    counted(values, 'value'),
    `norm ${numberText(norm)}`,
    nonFinite === 0 ? style('green', 'all finite') : style('red', `${countText(nonFinite)} not finite`),
    ...(unread === 0 ? [] : [`${counted(unread, 'tensor')} not readable`]),
  ];
  return parts.join(', ');
}

function counted(count: number, what: string): string {
  return `${countText(count)} ${what}${count === 1 ? '' : 's'}`;
}

function textOf(value: JsonValue | undefined): string {
  return clip(typeof value === 'string' ? value : (JSON.stringify(value) ?? 'not named'));
}

function clip(text: string): string {
  const line = printable(text);
  return line.length <= valueColumnsMax ? line : `${line.slice(0, valueColumnsMax)}…`;
}

function cutMiddle(text: string, columns: number): string {
  if (text.length <= columns) return text;
  const end = Math.floor((columns - 1) / 2);
  return `${text.slice(0, columns - 1 - end)}…${text.slice(text.length - end)}`;
}

function wrap(text: string, columns: number): string[] {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const last = lines[lines.length - 1] as string;
    if (last === '') lines[lines.length - 1] = word;
    else if (last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
