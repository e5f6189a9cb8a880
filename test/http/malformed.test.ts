import fc from 'fast-check';
import { DistributedGradientsCoordinator } from 'mainstem';
import { HttpServerTransport } from 'mainstem/http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { numbersOf, parametersOf } from '../coordinators/helpers.ts';
import { ask, type CleanUps, post, urlOf } from '../transport/httpSupport.ts';

const cleanUps: CleanUps = [];
let coordinator: DistributedGradientsCoordinator;
let place: string;
let url: string;

beforeEach(async () => {
  coordinator = new DistributedGradientsCoordinator();
  coordinator.setModelParameters(parametersOf(1, 2));
  const server = new HttpServerTransport({ port: 0 });
  await coordinator.listen(server);
  cleanUps.push(() => coordinator.close());
  url = urlOf(server);
  const { json } = await post(`${url}/connect?wait=9`, { type: 'hello', childId: 'a' });
  place = `${url}/${json.connection}`;
  cleanUps.push(() => ask(place, { method: 'DELETE' }));
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const update = { type: 'update', tensors: { weights: [[0.5]], bias: [0.5] }, sampleCount: 1 };

/** The connection is as it was, and so is main. */
async function expectUntouched(): Promise<void> {
  expect(numbersOf(coordinator.getModelParameters())).toEqual([1, 2]);
  const { json } = await post(`${place}/push?wait=9`, update);
  const receipt = json.messages.find(({ type }) => type === 'receipt');
  expect(receipt).toMatchObject({ first: 1, last: 1, status: 'applied' });
}

describe('malformed JSON', () => {
  test('by hand: each is refused as a whole, says why, and changes nothing', async () => {
    const cases: [unknown, RegExp][] = [
      ['{', /no JSON/],
      ['"\ud800', /no JSON/],
      ['7', /a message is 7, expected an object/],
      [[update, 'x'], /expected an object/],
      [{ type: 'welcome' }, /hello, update, report or leave/],
      [{ ...update, type: 'toString' }, /hello, update, report or leave/],
      [{ type: 'hello' }, /hello.childId/],
      [{ type: 'hello', childId: 7 }, /hello.childId/],
      [{ type: 'hello', childId: 'x', layout: { tensors: 7 } }, /not legal/],
      [{ ...update, tensors: [[1]] }, /update.tensors/],
      [{ ...update, tensors: { weights: [[1, 2], [3]] } }, /ragged/],
      [{ ...update, tensors: { weights: ['NaN'] } }, /expected numbers/],
      [{ ...update, tensors: { weights: [1, 'Infinity'] } }, /expected a number/],
      [{ ...update, tensors: { weights: [null] } }, /expected numbers/],
      ['{"type":"update","tensors":{"weights":[[1e999]],"bias":[0]}}', /Infinity at weights/],
      ['{"type":"update","tensors":{"weights":[NaN]}}', /no JSON/],
      [{ ...update, sequence: -1 }, /update.sequence/],
      [{ ...update, sequence: '1' }, /update.sequence/],
      [{ ...update, sampleCount: 'many' }, /update.sampleCount/],
      [{ ...update, baseVersion: 0.5 }, /update.baseVersion/],
      [{ type: 'report', number: 1, subject: 'gossip', content: {} }, /report.subject/],
      [Array.from({ length: 1_025 }, () => update), /at most 1024/],
      [`{"type":"update","tensors":{"weights":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`, /axes/],
      [`{"type":"hello","childId":${'['.repeat(50_000)}${']'.repeat(50_000)}}`, /not legal/],
    ];
    for (const [body, reason] of cases) {
      const { status, json } = await post(`${place}/push?n=1`, body);
      expect([status, json.error.message]).toEqual([expect.any(Number), expect.stringMatching(reason)]);
      expect([400, 413]).toContain(status);
    }
    await expectUntouched();
  });

  test('names that objects have of themselves are names like others', async () => {
    const body = '{"type":"update","tensors":{"__proto__":[[1]],"constructor":[2]},"sampleCount":1}';
    const { json } = await post(`${place}/push?wait=9`, body);
    expect(json.messages[0]).toMatchObject({ status: 'refused', error: { code: 'LAYOUT_MISMATCH' } });
    expect(numbersOf(coordinator.getModelParameters())).toEqual([1, 2]);
  });

  test('an update before the welcome waits for it', async () => {
    const { json } = await post(`${url}/connect`, [{ type: 'hello', childId: 'b' }, update]);
    expect(json.error.message).toMatch(/wait for the welcome/);
    expect(coordinator.children).toEqual(['a']);
  });

  test('at random: an answer in JSON, and main is as it was', async () => {
    const value = fc.oneof(fc.jsonValue(), fc.constant(update.tensors));
    const key = fc.constantFrom(
      'type',
      'tensors',
      'sequence',
      'sampleCount',
      'baseVersion',
      'childId',
      '__proto__',
    );
    const message = fc.dictionary(key, value).map((fields) => ({ ...update, sampleCount: -1, ...fields }));
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.jsonValue(), message, fc.array(message)), async (body) => {
        const { status, json } = await post(`${place}/push`, body ?? null);
        if (status === 200) return;
        expect([400, 413]).toContain(status);
        expect(json.error.code).toMatch(/^[A-Z_]+$/);
      }),
      { numRuns: 300, seed: 5 },
    );
    await post(`${place}/push`, []);
    await expectConsistent();
  });
});

/** Legal ones may have been among them: whatever happened, the coordinator serves. */
async function expectConsistent(): Promise<void> {
  expect(numbersOf(coordinator.getModelParameters()).every(Number.isFinite)).toBe(true);
  const { json } = await post(`${url}/connect?wait=9`, { type: 'hello', childId: 'c' });
  expect(json.messages[0]?.type).toBe('welcome');
  await ask(`${url}/${json.connection}`, { method: 'DELETE' });
}
