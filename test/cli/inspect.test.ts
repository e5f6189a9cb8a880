import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LinearRegression, ModelParameters, NeuralNetwork, systemClock } from 'mainstem';
import { toNestedJson, writeSafetensors } from 'mainstem/files';
import { afterAll, describe, expect, it } from 'vitest';
import type { InspectReport } from '../../src/cli/inspect.ts';
import { inspectText } from '../../src/cli/inspectReport.ts';
import { styleFor } from '../../src/cli/report.ts';
import { exitStatus, run } from '../../src/cli/run.ts';
import { fileOf, headerOf } from '../files/support.ts';
import { Sink } from './streams.ts';

const folder = mkdtempSync(join(tmpdir(), 'mainstem-inspect-'));
afterAll(() => rmSync(folder, { recursive: true }));

function save(name: string, content: Uint8Array | object | string): string {
  const path = join(folder, name);
  const isRaw = content instanceof Uint8Array || typeof content === 'string';
  writeFileSync(path, isRaw ? content : JSON.stringify(content));
  return path;
}

async function inspect(
  words: readonly string[],
  { isTerminal = false, signal = new AbortController().signal } = {},
): Promise<{ status: number; out: string; err: string }> {
  const [stdout, stderr] = [new Sink(isTerminal), new Sink()];
  const status = await run(['inspect', ...words], { stdout, stderr, clock: systemClock, signal });
  return { status, out: stdout.text, err: stderr.text };
}

async function reportOf(path: string): Promise<InspectReport> {
  const { status, out } = await inspect(['--json', path]);
  expect(status).toBe(0);
  return JSON.parse(out) as InspectReport;
}

const network = new NeuralNetwork({
  layers: [2, { units: 3, activation: 'tanh' }, { units: 2, activation: 'softmax' }],
  classes: ['no', 'yes'],
});
network.train(
  [
    [1, 2],
    [3, 5],
    [2, 0],
  ],
  ['no', 'yes', 'no'],
  { maximumNumberOfIterations: 1 },
);
const parameters = network.getModelParameters();

describe('mainstem inspect --json', () => {
  it('says the same of every form of a model', async () => {
    const forms = [
      ['safetensors', save('a.safetensors', writeSafetensors(parameters))],
      ['mainstem/model@1', save('b.json', network.toJSON())],
      ['mainstem/model-parameters@1', save('c.json', parameters.toJSON())],
      ['mainstem/nested@1', save('d.json', toNestedJson(network))],
    ] as const;
    const reports = await Promise.all(forms.map(([, path]) => reportOf(path)));
    reports.forEach((report, i) => {
      expect([report.format, report.file]).toEqual(forms[i]);
      expect(report.tensors).toEqual(reports[0]?.tensors);
      expect(report.architecture).toEqual(parameters.layout.architecture);
      expect([report.sampleCount, report.baseVersion]).toEqual([3, null]);
    });
    expect(reports[0]?.tensors.map(({ name, dtype, shape, values }) => [name, dtype, shape, values])).toEqual(
      [
        ['layers.0.weights', 'F32', [2, 3], 6],
        ['layers.0.bias', 'F32', [3], 3],
        ['layers.1.weights', 'F32', [3, 2], 6],
        ['layers.1.bias', 'F32', [2], 2],
      ],
    );
  });

  it('describes numbers', async () => {
    const arrays = { a: [3, -1, Number.NaN, 1, 1, Infinity], none: [], same: [2, 2], nothing: [Number.NaN] };
    const bytes = writeSafetensors(ModelParameters.fromArrays(arrays), { metadata: { note: 'hello' } });
    const { metadata, tensors } = await reportOf(save('e.safetensors', bytes));
    expect(metadata.note).toBe('hello');
    expect(tensors.map(({ statistics }) => statistics)).toEqual([
      { norm: Math.sqrt(12), min: -1, mean: 1, max: 3, nonFinite: 2, histogram: [1, 0, 0, 0, 2, 0, 0, 1] },
      { norm: 0, min: null, mean: null, max: null, nonFinite: 0, histogram: [0, 0, 0, 0, 0, 0, 0, 0] },
      { norm: Math.sqrt(8), min: 2, mean: 2, max: 2, nonFinite: 0, histogram: [2, 0, 0, 0, 0, 0, 0, 0] },
      { norm: 0, min: null, mean: null, max: null, nonFinite: 1, histogram: [0, 0, 0, 0, 0, 0, 0, 0] },
    ]);
  });

  it('reads files of others, whatever they are called', async () => {
    const header = headerOf([
      { name: 'half', dtype: 'BF16', shape: [2], bytes: 4 },
      { name: 'long', dtype: 'I64', shape: [], bytes: 8 },
      { name: 'eight', dtype: 'F8_E4M3', shape: [3], bytes: 3 },
    ]);
    const bytes = fileOf(header, [0x80, 0x3f, 0, 0xc0, 7, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]);
    const { format, architecture, tensors } = await reportOf(save('weights.bin', bytes));
    expect([format, architecture]).toEqual(['safetensors', null]);
    expect(tensors.map(({ dtype, statistics }) => [dtype, statistics?.min, statistics?.max])).toEqual([
      ['BF16', -2, 1],
      ['I64', 7, 7],
      ['F8_E4M3', undefined, undefined],
    ]);
    expect((await reportOf(save('model', parameters.toJSON()))).tensors.length).toBe(4);
  });
});

describe('mainstem inspect', () => {
  it('prints what the model is, a row for each tensor, and totals', async () => {
    const path = save('f.safetensors', writeSafetensors(parameters, { metadata: { note: 'hello' } }));
    const { status, out, err } = await inspect([path]);
    expect([status, err]).toEqual([0, '']);
    const lines = out.split('\n');
    expect(lines[0]).toBe(
      `${path}  ${writeSafetensors(parameters, { metadata: { note: 'hello' } }).length} B, safetensors`,
    );
    expect(lines.slice(1, 7)).toEqual([
      'model       NeuralNetwork',
      'layers      2 → 3 tanh → 2 softmax',
      'classes     2: no, yes',
      'loss        crossEntropy',
      'trained on  3 rows',
      'metadata    note: hello',
    ]);
    expect(lines[8]).toMatch(/^tensor +shape +type +values +norm +min +mean +max +spread$/);
    expect(lines[9]).toMatch(/^layers\.0\.weights +2×3 +F32 +6( +-?[\d.e-]+){4} +[ ▁-█]+$/);
    expect(lines[14]).toMatch(/^4 tensors, 17 values, norm [\d.]+, all finite$/);
  });

  it('fits into 80 columns of a terminal, also with long names', async () => {
    const long = `model.${'encoder.'.repeat(8)}weight`;
    const values = Array.from({ length: 20 }, () => Array.from({ length: 30 }, (_, i) => i / -7e3));
    const classes = Array.from({ length: 40 }, (_, i) => `class ${i}`);
    const made = ModelParameters.fromArrays(
      { [long]: values, b: [Number.NaN] },
      { architecture: { model: 'Forest', classes } },
    );
    const bytes = writeSafetensors(made);
    const { out } = await inspect([save('g.safetensors', bytes)], { isTerminal: true });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the colours of a terminal
    const plain = out.replace(/\u001b\[\d+m/g, '');
    expect(plain).not.toBe(out);
    const lines = plain.split('\n').slice(1);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    expect(plain).toMatch(/^model\.enco…\S*weight 20×30 F64/m);
    expect(plain).toMatch(/^classes {2}40: class 0, .*,\n {9}class \d/m);
    expect(plain).toContain('NaN/∞');
    expect(plain).toContain('1 not finite');
  });

  it('says what a regression and an untrained model are', async () => {
    const model = new LinearRegression();
    expect((await inspect([save('h.json', model.toJSON())])).out).toMatch(
      /model {2}LinearRegression\n\nThere are no/,
    );
    model.train([[1, 2, 3]], [4], { maximumNumberOfIterations: 0 });
    expect((await inspect([save('i.json', model.toJSON())])).out).toContain('layers      3 → 1\n');
  });

  it('does not let a file steer the terminal', async () => {
    const evil = '\u001b]0;title\u0007\n';
    const architecture = { model: evil, [evil]: evil, preprocessing: null, activations: [evil] };
    const made = ModelParameters.fromArrays({ [evil]: [1], weights: [1] }, { architecture });
    const { out } = await inspect([
      save('j.safetensors', writeSafetensors(made, { metadata: { [evil]: evil } })),
    ]);
    expect(out).toContain('\\u{1b}]0;title\\u{7}\\u{a}');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there
    expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });

  const layers = { columns: 3, steps: [{ name: 'standardScaler', columns: [0, 1] }, null] };
  it.each([
    [layers, '3 columns: standardScaler (2), not named (0)'],
    ['odd', 'preprocessing  odd'],
  ])('names the steps of preprocessing: %j', (preprocessing, expected) => {
    const report: InspectReport = {
      file: 'x',
      bytes: 1,
      format: 'safetensors',
      architecture: { model: 'LinearRegression', preprocessing },
      sampleCount: null,
      baseVersion: 1,
      metadata: {},
      tensors: [],
    };
    expect(inspectText(report, styleFor(new Sink()))).toContain(expected);
  });

  it.each([
    ['missing.safetensors', undefined, 'there is no such file'],
    ['.', undefined, 'is a folder, expected a file'],
    ['cut.safetensors', writeSafetensors(parameters).slice(0, -1), 'the file at byte'],
    ['empty.safetensors', '', 'the file has 0 bytes, expected at least 8'],
    ['text.json', 'hello\n\u001b[31m', 'is neither safetensors nor JSON: Unexpected token'],
    ['other.json', { format: 'mainstem/gradients@1' }, 'is JSON of format "mainstem/gradients@1", expected'],
    ['null.json', 'null', 'is JSON of format undefined, expected'],
    [
      'broken.json',
      { ...parameters.toJSON(), tensors: [{ name: 'a', shape: [2], values: [1] }] },
      'tensor a must have 2 finite numbers',
    ],
    ['nested.json', { format: 'mainstem/nested@1' }, 'tensors are undefined'],
  ])('says in one line what is wrong with %s', async (name, content, message) => {
    const path = content === undefined ? join(folder, name) : save(name, content);
    const { status, out, err } = await inspect([path]);
    expect([status, out]).toEqual([exitStatus.failed, '']);
    expect(err.startsWith(`mainstem: ${path}: `)).toBe(true);
    expect(err).toContain(message);
    expect(err.split('\n').length).toBe(2);
    expect(err).not.toContain('\u001b');
  });

  it('ends when it is interrupted', async () => {
    const path = save('k.safetensors', writeSafetensors(parameters));
    const { status, out, err } = await inspect([path], { signal: AbortSignal.abort() });
    expect([status, out, err]).toEqual([exitStatus.interrupted, '', 'interrupted\n']);
  });
});
