import { readFileSync } from 'node:fs';
import {
  Child,
  DistributedGradientsCoordinator,
  FeatureStatistics,
  InProcessTransport,
  LinearRegression,
  type ModelParameters,
  SharedConnection,
  seededRandom,
} from 'mainstem';
import { VirtualClock } from 'mainstem/testing';
import type { Message, ReportMessage } from '../../../src/protocol/messages.ts';
import { valuesToBytes } from '../../../src/protocol/tensorBytes.ts';
import { encodeFrame } from '../../../src/transport/frame.ts';
import { parametersOf, settle } from '../../coordinators/helpers.ts';
import { ScriptedModel } from '../../coordinators/simulation/actors.ts';
import { tapped } from '../../transport/linkSupport.ts';
import { frameOf, helloOf } from '../speaker.ts';
import { type Bytes, type Draft, draftOf, inPieces } from './drafts.ts';

/** Main of the coordinator that is fuzzed: weights [2 × 1] and bias [1], in float64. */
export const firstMain: ModelParameters = parametersOf(1, 2, 3);

/** What children said, frame by frame. */
async function recordChildren(count: number): Promise<Draft[]> {
  const clock = new VirtualClock();
  const random = seededRandom(7);
  const coordinator = new DistributedGradientsCoordinator({ clock, random });
  coordinator.setModelParameters(firstMain);
  const direct = new InProcessTransport();
  await coordinator.listen(direct);
  const drafts: Draft[] = [];
  const empty = new Uint8Array(0);
  const transport = new SharedConnection(
    tapped(direct, ({ metadata, payload, ...head }) => {
      drafts.push(draftOf(encodeFrame(head, metadata, payload.length > 0 ? payload : empty)));
    }),
    { clock },
  );
  for (let number = 0; number < count; number++) {
    const model = new ScriptedModel();
    const child = await Child.connect({ transport, clock, random, model, childId: `child-${number}` });
    for (let update = 1; update <= 3; update++) {
      model.values = [update, -0.5, 1 / 3];
      await (await child.send()).committed;
    }
    await child.reportFeatureStatistics(new FeatureStatistics().add([[1, 2]]));
    // The last one stays, and the others go before it.
    if (number > 0) await child.leave();
  }
  await settle();
  return drafts;
}

function goldenDrafts(): Draft[] {
  const golden = JSON.parse(readFileSync(new URL('../golden.json', import.meta.url), 'utf8')) as {
    hex: string;
  }[];
  return golden.map(({ hex }) => draftOf(Uint8Array.from(Buffer.from(hex, 'hex'))));
}

function reportOf(number: number, report: Pick<ReportMessage, 'subject' | 'content'>): Message {
  return { type: 'report', number, version: 1, ...report };
}

/** All that a child may say, by hand: both dtypes, pieces, reports, leaving. */
function spokenDrafts(): Draft[] {
  const { layout } = firstMain;
  const tensors = layout.tensors.map(({ name, shape }) => ({ name, shape }));
  const update = (sequence: number, dtype: 'float32' | 'float64', payload: Bytes): Message => ({
    type: 'update',
    layout: 0,
    dtype,
    sequence,
    sampleCount: 3,
    baseVersion: 1,
    isPacked: false,
    payload,
  });
  const model = new LinearRegression();
  model.setModelParameters(firstMain);
  const evaluation = model.evaluate([[1, 2]], [3]).toJSON() as unknown as ReportMessage['content'];
  const statistics = new FeatureStatistics().add([[1, 2]]).toJSON() as unknown as ReportMessage['content'];
  const drafts = [
    helloOf({ childId: 'by hand', layout: { tensors, architecture: null } }),
    { type: 'layout', index: 0, fingerprint: layout.fingerprint, tensors, architecture: null },
    update(1, 'float32', valuesToBytes(Float32Array.of(0.5, 1, -2))),
    update(2, 'float64', valuesToBytes(Float64Array.of(0.1, 0.2, 0.3))),
    reportOf(1, { subject: 'evaluation', content: evaluation }),
    reportOf(2, { subject: 'featureStatistics', content: statistics }),
    { type: 'leave' },
  ].map((message) => draftOf(frameOf(message as Message)));
  const [hello, announced, small, large, ...rest] = drafts as [Draft, Draft, Draft, Draft, ...Draft[]];
  return [hello, announced, small, ...inPieces(large, 10), ...rest];
}

/** What is mutated: conversations as children have them, and one frame of each kind. */
export async function conversations(): Promise<readonly (readonly Draft[])[]> {
  return [await recordChildren(1), await recordChildren(3), spokenDrafts(), spokenDrafts(), goldenDrafts()];
}
