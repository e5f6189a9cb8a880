import type { GradientModel } from 'mainstem';
import { Child, isMainstemError, type ModelParameters } from 'mainstem';
import type { Message, UpdateMessage } from '../../../src/protocol/messages.ts';
import { valuesToBytes } from '../../../src/protocol/tensorBytes.ts';
import { frameOf, helloOf, Speaker } from '../../protocol/speaker.ts';
import { gradientsOf, numbersOf, parametersOf } from '../helpers.ts';
import type { Federation } from './Federation.ts';
import { isSame } from './Federation.ts';

const patienceMs = 300;
const rowsMax = 9;

/** A model that has learnt whatever the test says. */
export class ScriptedModel implements GradientModel {
  values: readonly number[] = [0, 0, 0];
  sampleCount = 1;

  setAreGradientsSaved(): void {}
  train = (): number[] => [];
  predict = (): number[] => [];
  /** Hears of every main that is adopted. */
  adopted: (parameters: ModelParameters) => void = () => {};
  setModelParameters(parameters: ModelParameters): void {
    this.adopted(parameters);
  }
  computeGradients = (): ReturnType<typeof gradientsOf> => this.getGradients();

  getGradients(): ReturnType<typeof gradientsOf> {
    return gradientsOf(this.values, this.sampleCount);
  }

  getModelParameters(): ModelParameters {
    return parametersOf(...this.values).clone({ sampleCount: this.sampleCount });
  }
}

/** What the promise gives; undefined where it fails as a connection may, or takes too long. */
async function within<Result>(federation: Federation, promise: Promise<Result>): Promise<Result | undefined> {
  const failed = promise.catch((thrown: unknown) => {
    if (!isMainstemError(thrown)) throw thrown;
    return undefined;
  });
  return Promise.race([failed, federation.world.sleep(patienceMs).then(() => undefined)]);
}

/** A child that was welcomed. */
interface Connected {
  readonly child: Child;
  readonly model: ScriptedModel;
  isOpen: boolean;
}

/** Connects a child; one that is not welcomed in time gives up. */
export async function connectChild(federation: Federation, childId: string): Promise<Connected | undefined> {
  const { network } = federation.world;
  const model = new ScriptedModel();
  const transport = network.transport(childId, { to: 'coordinator' });
  const { clock, random } = federation.world;
  const reconnect = { initialMs: 20, maxMs: 100, giveUpAfterMs: 3_000 };
  const child = await within(
    federation,
    Child.connect({ transport, model, childId, clock, random, reconnect, connectTimeoutMs: patienceMs }),
  );
  if (child === undefined) {
    network.cut(childId);
    return undefined;
  }
  const connected: Connected = { child, model, isOpen: true };
  child.on('closed', () => {
    connected.isOpen = false;
  });
  const first = child.main;
  if (first !== undefined) federation.checkPublished(first);
  let seen = child.version;
  child.on('mainUpdated', ({ version }) => {
    federation.require(version > seen, `${childId} goes from version ${seen} to ${version}`);
    seen = version;
    federation.checkPublished(child.main as ModelParameters);
  });
  return connected;
}

/** A child that trains, leaves, is cut off and comes again. It gives up what is not answered in time. */
export async function playChild(federation: Federation, childId: string): Promise<void> {
  const { random, world } = federation;
  while (!federation.isOver) {
    const connected = await connectChild(federation, childId);
    await world.sleep(30 * random.next());
    if (connected === undefined) continue;
    const { child, model } = connected;
    while (connected.isOpen && !federation.isOver) {
      const luck = random.next();
      if (luck < 0.85) await sendOne(federation, child, model);
      else if (luck < 0.93) await child.leave();
      else world.network.cut(childId, { halfOpenMs: luck < 0.96 ? 0 : 200 * random.next() });
      await world.sleep(40 * random.next());
      federation.check();
    }
    await child.leave();
  }
}

async function sendOne(federation: Federation, child: Child, model: ScriptedModel): Promise<void> {
  model.values = federation.newValues();
  model.sampleCount = 1 + Math.floor(rowsMax * federation.random.next());
  const id = model.values[0] as number;
  await child.adopt();
  const receipt = await within(federation, child.send());
  if (receipt === undefined) {
    federation.count('no answer');
    if (federation.random.next() < 0.5) federation.world.network.cut(child.childId);
  } else federation.checkReceipt(id, receipt);
}

/** Calls the coordinator in its own process: good updates, those again, stale and bad ones. */
export async function playDirect(federation: Federation, childId: string): Promise<void> {
  const { random, world } = federation;
  let sequence = 0;
  let epoch = 0;
  let sent: { values: number[]; rows: number; sequence: number } | undefined;
  while (!federation.isOver) {
    await world.sleep(25 * random.next());
    const { coordinator } = federation;
    if (coordinator === undefined) {
      // What was sent may be lost, and a new process may know none of it: a new session.
      epoch++;
      sent = undefined;
      continue;
    }
    const before = { version: coordinator.version, main: numbersOf(coordinator.getModelParameters()) };
    const luck = random.next();
    const isAgain = luck < 0.25 && sent !== undefined;
    const isBad = luck > 0.85;
    if (luck > 0.82 && luck < 0.85) {
      // One that has not come again since a restart is forgotten without an event.
      coordinator.removeChild(childId);
      federation.shadow.leave(childId);
    }
    if (!isAgain)
      sent = {
        values: federation.newValues(),
        rows: 1 + Math.floor(rowsMax * random.next()),
        sequence: ++sequence,
      };
    const { values, rows, sequence: number } = sent as NonNullable<typeof sent>;
    const id = values[0] as number;
    if (isBad) {
      federation.bad.add(id);
      sent = undefined;
    }
    const given = luck > 0.95 ? [id, Infinity, 0] : luck > 0.9 ? [id, 1, 2, 3] : values;
    const claimed = isBad && luck <= 0.9 ? 1e12 : rows;
    const receipt = federation.add(given, claimed, { childId, sequence: number, epoch });
    if (receipt === undefined) continue;
    federation.checkReceipt(id, receipt);
    if (isBad && federation.options.drive === 'immediate')
      federation.require(receipt.status === 'refused', `a bad update is ${receipt.status}`);
    if (receipt.status === 'applied') continue;
    const after = numbersOf(coordinator.getModelParameters());
    const isUnchanged = coordinator.version === before.version && isSame(after, before.main);
    federation.require(isUnchanged, `an update that is ${receipt.status} changed main`);
    federation.check();
  }
}

/** Speaks in raw frames: the same number again, numbers out of order, the same number for another update, garbage. */
export async function playStranger(
  federation: Federation,
  host: string,
  childIds: readonly string[],
): Promise<void> {
  const { random, world } = federation;
  const pick = <T>(list: readonly T[]): T => list[Math.floor(list.length * random.next())] as T;
  while (!federation.isOver) {
    await world.sleep(30 * random.next());
    const connection = await within(
      federation,
      world.network.transport(host, { to: 'coordinator' }).connect(),
    );
    if (connection === undefined) continue;
    const speaker = new Speaker(connection);
    // Now and then in the name of another child, whose session that ends.
    const childId = pick([host, host, host, ...childIds]);
    say(speaker, helloOf({ childId, session: `stranger ${federation.random.next()}` }));
    let last = updateOf(federation, 1);
    say(speaker, layoutMessage);
    while (speaker.closes === 0 && !federation.isOver) {
      const luck = random.next();
      if (luck < 0.4) last = updateOf(federation, Math.floor(40 * random.next()));
      if (luck < 0.8) say(speaker, last);
      else if (luck < 0.9) sendGarbage(federation, speaker, last);
      else if (luck < 0.95) connection.close();
      await world.sleep(15 * random.next());
      federation.check();
    }
    for (const { type } of speaker.answers) federation.count(`raw ${type}`);
    connection.close();
  }
}

function say(speaker: Speaker, message: Message): void {
  try {
    speaker.say(message);
  } catch (thrown) {
    // Closed since it was looked at.
    if (!isMainstemError(thrown)) throw thrown;
  }
}

const { layout: exampleLayout } = parametersOf(1, 2, 3);
const layoutMessage: Message = {
  type: 'layout',
  index: 0,
  fingerprint: exampleLayout.fingerprint,
  tensors: exampleLayout.tensors.map(({ name, shape }) => ({ name, shape })),
  architecture: null,
};

function updateOf(federation: Federation, sequence: number, values = federation.newValues()): UpdateMessage {
  const { dtype, values: typed } = parametersOf(...values);
  const sampleCount = 1 + Math.floor(rowsMax * federation.random.next());
  const payload = valuesToBytes(typed);
  return {
    type: 'update',
    layout: 0,
    dtype,
    sequence,
    sampleCount,
    baseVersion: null,
    isPacked: false,
    payload,
  };
}

/** What no honest child sends. */
function sendGarbage(federation: Federation, speaker: Speaker, last: UpdateMessage): void {
  const { random } = federation;
  const bytes = frameOf(last, speaker.nextNumber);
  const luck = random.next();
  if (luck < 0.2) speaker.sayBytes(bytes.subarray(0, Math.floor(bytes.length * random.next())));
  else if (luck < 0.4)
    speaker.sayBytes(
      bytes.map((byte) => (random.next() < 0.1 ? Math.floor(256 * random.next()) : byte)).subarray(1),
    );
  else if (luck < 0.5) say(speaker, { type: 'committed', first: 1, last: 1 });
  else if (luck < 0.6) say(speaker, helloOf({ childId: 'again' }));
  else {
    const values = federation.newValues();
    federation.bad.add(values[0] as number);
    const update = updateOf(federation, 50, luck < 0.8 ? [values[0] as number, Number.NaN, 1] : values);
    say(speaker, luck < 0.8 ? update : { ...update, sampleCount: 1e12 });
  }
}
