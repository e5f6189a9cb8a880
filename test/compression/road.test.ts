import type {
  ChildOptions,
  ChildReceipt,
  GradientModel,
  GradientsCoordinatorOptions,
  ModelParametersCoordinatorOptions,
  Random,
} from 'mainstem';
import {
  Child,
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  Gradients,
  InProcessTransport,
  ModelParameters,
  seededRandom,
} from 'mainstem';
import type { CodecOption } from 'mainstem/compression';
import { compression } from 'mainstem/compression';
import { VirtualNetwork } from 'mainstem/testing';
import { describe, expect, test } from 'vitest';
import { readMain } from '../../src/children/readMain.ts';
import { packedBytesMax } from '../../src/compression/Compression.ts';
import type { MainMessage } from '../../src/protocol/messages.ts';
import { helloOf, Speaker } from '../protocol/speaker.ts';
import { minus, norm, normals } from './helpers.ts';

const length = 600;
const of = (values: ArrayLike<number>): ModelParameters =>
  ModelParameters.fromArrays({ wide: Array.from(values) }, { dtype: 'float32', sampleCount: 1 });
const zeros = of(new Float64Array(length));

/** A model whose next update is what the test says. */
class Puppet implements GradientModel {
  values: ArrayLike<number> = new Float64Array(length);
  adopted: ArrayLike<number> = [];
  train = (): number[] => [];
  predict = (): number[] => [];
  setAreGradientsSaved(): void {}
  getModelParameters = (): ModelParameters => of(this.values);
  setModelParameters({ values }: ModelParameters): void {
    this.adopted = values;
  }
  getGradients = (): Gradients =>
    Gradients.fromArrays({ wide: Array.from(this.values) }, { dtype: 'float32', sampleCount: 1 });
  computeGradients = (): Gradients => this.getGradients();
}

/** A virtual network, its time, and what goes over it. */
class Stage {
  readonly network = new VirtualNetwork({ seed: 1 });
  readonly random: Random = seededRandom(1);

  async gradients(options: GradientsCoordinatorOptions = {}): Promise<DistributedGradientsCoordinator> {
    const { clock } = this.network;
    const coordinator = new DistributedGradientsCoordinator({
      clock,
      random: this.random,
      learningRate: 1,
      ...options,
    });
    coordinator.setModelParameters(zeros);
    await coordinator.listen(this.network.transport('coordinator'));
    return coordinator;
  }

  async parameters(
    options: ModelParametersCoordinatorOptions = {},
  ): Promise<DistributedModelParametersCoordinator> {
    const { clock } = this.network;
    const coordinator = new DistributedModelParametersCoordinator({ clock, random: this.random, ...options });
    coordinator.setMainModelParameters(zeros);
    await coordinator.listen(this.network.transport('coordinator'));
    return coordinator;
  }

  async child(
    childId: string,
    options: Partial<ChildOptions> = {},
  ): Promise<{ child: Child; model: Puppet }> {
    const model = new Puppet();
    const transport = this.network.transport(childId, { to: 'coordinator' });
    const { clock } = this.network;
    const joining = Child.connect({ transport, model, childId, clock, random: this.random, ...options });
    await this.settle();
    return { child: await joining, model };
  }

  async settle(timeLimitMs = 1_000): Promise<void> {
    await this.network.settle({ timeLimitMs });
  }

  /** Sends, and waits for the answer. */
  async send(
    { child, model }: { child: Child; model: Puppet },
    values: ArrayLike<number>,
  ): Promise<ChildReceipt> {
    model.values = values;
    const sending = child.send();
    await this.settle();
    return sending;
  }
}

const exact: CodecOption = { codec: 'topK', share: 1, values: 'float32' };
const rows = (seed: number): Float32Array => Float32Array.from(normals(seededRandom(seed), length));

describe('gradients', () => {
  test('arrive as the codec has them, in far fewer bytes, and what is left comes later', async () => {
    const stage = new Stage();
    const coordinator = await stage.gradients({ compression: compression({ updates: 'topK' }) });
    const a = await stage.child('a', { compression: compression() });
    const given = new Float64Array(length);
    for (let round = 0; round < 10; round++) {
      const values = rows(round);
      expect((await stage.send(a, values)).status).toBe('applied');
      for (let i = 0; i < length; i++) given[i] = (given[i] as number) - (values[i] as number);
    }
    const main = coordinator.getModelParameters().values;
    expect(main.filter((value) => value !== 0).length).toBeLessThanOrEqual(60);
    for (let round = 0; round < 200; round++) await stage.send(a, new Float64Array(length));
    expect(norm(minus(coordinator.getModelParameters().values, given))).toBeLessThan(0.01 * norm(given));
  });

  test('that are asked for as they are, or come from who cannot pack, are the same bit for bit', async () => {
    const mains: ArrayLike<number>[] = [];
    const cases: readonly [GradientsCoordinatorOptions, Partial<ChildOptions>][] = [
      [{}, {}],
      [{ compression: compression({ updates: 'none' }) }, { compression: compression() }],
      [{ compression: compression({ updates: 'topK' }) }, {}],
      [{}, { compression: compression({ updates: 'topK' }) }],
      [{ compression: compression({ updates: 'topK' }) }, { compression: compression({ updates: 'none' }) }],
    ];
    for (const [options, childOptions] of cases) {
      const stage = new Stage();
      const coordinator = await stage.gradients(options);
      const a = await stage.child('a', childOptions);
      for (let round = 0; round < 3; round++) await stage.send(a, rows(round));
      mains.push(coordinator.getModelParameters().values);
    }
    for (const main of mains) expect(main).toEqual(mains[0]);
  });

  test("a child's own settings go before the coordinator's", async () => {
    const stage = new Stage();
    const coordinator = await stage.gradients({ compression: compression({ updates: 'topK' }) });
    const a = await stage.child('a', { compression: compression({ updates: exact }) });
    await stage.send(a, rows(1));
    expect(coordinator.getModelParameters().values).toEqual(rows(1).map((value) => 0 - value));
  });

  test('what was not sent outlives a connection, and with saveState the child', async () => {
    const stage = new Stage();
    const coordinator = await stage.gradients({ compression: compression({ updates: 'topK' }) });
    const first = await stage.child('a', { compression: compression() });
    await stage.send(first, rows(1));
    stage.network.cut('a');
    await stage.settle(40_000);
    await stage.send(first, rows(2));
    const savedState = first.child.saveState();
    await first.child.leave();
    await stage.settle();
    const second = await stage.child('a', { compression: compression(), savedState });
    for (let round = 0; round < 150; round++) await stage.send(second, new Float64Array(length));
    const given = rows(1).map((value, i) => -value - (rows(2)[i] as number));
    expect(norm(minus(coordinator.getModelParameters().values, given))).toBeLessThan(0.01 * norm(given));
  });

  test('a value that cannot be packed is an error of the child, and nothing is sent or lost', async () => {
    const stage = new Stage();
    const coordinator = await stage.gradients({ compression: compression({ updates: 'topK' }) });
    const a = await stage.child('a', { compression: compression() });
    await stage.send(a, rows(1));
    const before = a.child.saveState();
    a.model.values = rows(2).map((value, i) => (i === 5 ? Infinity : value));
    await expect(a.child.send()).rejects.toMatchObject({ code: 'NON_FINITE' });
    expect(a.child.saveState()).toEqual(before);
    expect(coordinator.version).toBe(2);
  });

  test('momentum of main and what diverges with it are refused together', () => {
    const options = { compression: compression({ updates: 'randomK' }) };
    expect(() => new DistributedGradientsCoordinator({ ...options, optimizer: 'momentum' })).toThrow(
      /diverges/,
    );
    const server = { ...options, serverOptimizer: 'nesterov', mode: 'synchronous' } as const;
    expect(() => new DistributedModelParametersCoordinator(server)).toThrow(/diverges/);
    expect(new DistributedGradientsCoordinator({ ...options, optimizer: 'adaGrad' }).version).toBe(0);
    const told = { compression: compression({ updates: { codec: 'randomK', allowMomentum: true } }) };
    expect(new DistributedGradientsCoordinator({ ...told, optimizer: 'momentum' }).version).toBe(0);
    expect(() => new DistributedGradientsCoordinator({ compression: 'topK' as never })).toThrow(
      /compression is "topK", expected compression\(/,
    );
  });
});

describe('parameters', () => {
  test('travel as their difference to the main that they started from', async () => {
    const stage = new Stage();
    const mode = { mode: 'buffered', updates: 1 } as const;
    const coordinator = await stage.parameters({ mode, compression: compression({ updates: exact }) });
    const a = await stage.child('a', { compression: compression() });
    const b = await stage.child('b', { compression: compression() });
    await a.child.adopt();
    await b.child.adopt();
    expect((await stage.send(a, rows(1))).status).toBe('applied');
    // b started from the same main, which is an older one now: half of √2 of it counts.
    expect((await stage.send(b, rows(2))).status).toBe('applied');
    const expected = rows(1).map((value, i) => value + (rows(2)[i] as number) / Math.SQRT2);
    expect(norm(minus(coordinator.getMainModelParameters().values, expected))).toBeLessThan(1e-5);
    // Without a main to start from they are whole.
    const c = await stage.child('c', { compression: compression() });
    expect((await stage.send(c, coordinator.getMainModelParameters().values)).status).toBe('applied');
  });

  test('from a main that is not kept any more are refused as stale, and what came before is still a duplicate', async () => {
    const stage = new Stage();
    const limits = { keptMainsMax: 2 };
    const mode = { mode: 'buffered', updates: 1, stalenessMax: 100 } as const;
    const coordinator = await stage.parameters({
      mode,
      limits,
      compression: compression({ updates: exact }),
    });
    const a = await stage.child('a', { compression: compression() });
    const b = await stage.child('b', { compression: compression() });
    await a.child.adopt();
    await stage.send(a, rows(1));
    for (let round = 0; round < 4; round++) {
      await b.child.adopt();
      await stage.send(b, rows(round));
    }
    const before = coordinator.getMainModelParameters();
    const { status, reason } = await stage.send(a, rows(3));
    expect([status, reason?.code]).toEqual(['stale', 'STALE_UPDATE']);
    expect(coordinator.getMainModelParameters()).toEqual(before);
    await a.child.adopt();
    expect((await stage.send(a, rows(3))).status).toBe('applied');
  });

  test('that are on their way while the coordinator begins anew are sent whole', async () => {
    const stage = new Stage();
    const mode = { mode: 'buffered', updates: 1 } as const;
    const packing = { compression: compression({ updates: exact }) };
    const first = await stage.parameters({ mode, ...packing });
    const a = await stage.child('a', { compression: compression() });
    await a.child.adopt();
    await stage.send(a, rows(1));
    await a.child.adopt();
    // The next one does not arrive: the process is gone, and another begins with nothing, from a main of its own.
    a.model.values = rows(2);
    stage.network.partition(['a']);
    const sending = a.child.send();
    await first.close({ returnAfterMs: 0 });
    stage.network.cut('a');
    const second = await stage.parameters({ mode, ...packing });
    stage.network.heal();
    await stage.settle(60_000);
    expect((await sending).status).toBe('applied');
    expect(norm(minus(second.getMainModelParameters().values, rows(2)))).toBeLessThan(1e-5);
  });
});

describe('strangers', () => {
  test('whose packed bytes make no sense are sent away, and main stays', async () => {
    const coordinator = new DistributedGradientsCoordinator({ compression: compression() });
    coordinator.setModelParameters(zeros);
    const transport = new InProcessTransport();
    await coordinator.listen(transport);
    const { layout } = zeros;
    const { fingerprint } = layout;
    const tensors = [{ name: 'wide', shape: [length] }];
    for (const payload of [
      [],
      [7],
      [0, length],
      [99, 1, 1],
      new Array<number>(packedBytesMax(layout) + 1).fill(0),
    ]) {
      const stranger = new Speaker(await transport.connect());
      stranger.say(
        helloOf({ codecs: ['packed'] }),
        { type: 'layout', index: 0, fingerprint, tensors, architecture: null },
        {
          ...{ type: 'update', layout: 0, dtype: 'float32', sequence: 1, sampleCount: 1, baseVersion: null },
          ...{ isPacked: true, payload: Uint8Array.from(payload) },
        },
      );
      await new Promise((resolve) => setImmediate(resolve));
      expect(stranger.answers.at(-1)).toMatchObject({ type: 'refusal' });
      expect(stranger.closes).toBe(1);
    }
    expect(coordinator.version).toBe(1);
  });

  test('a packed main that says no base, or comes to a child that reads none, is an error of its sender', async () => {
    const known = zeros.clone({ baseVersion: 4 });
    const message: MainMessage = {
      type: 'main',
      ...{ layout: 0, dtype: 'float32', version: 5, base: 4, runs: null, isPacked: true },
      payload: Uint8Array.of(99),
    };
    const { layout } = zeros;
    expect(() => readMain({ ...message, base: null }, layout, known, compression())).toThrow(
      /where it differs/,
    );
    expect(() => readMain({ ...message, runs: [1, 1] }, layout, known, compression())).toThrow(
      /where it differs/,
    );
    expect(() => readMain(message, layout, known, undefined)).toThrow(/reads none/);
    expect(() => readMain(message, layout, known, compression())).toThrow(/ends/);
    expect(readMain({ ...message, base: 3 }, layout, known, compression())).toBeUndefined();
  });
});

describe('main', () => {
  const packing = { compression: compression({ main: 'int8' }) };
  const packs = { compression: compression() };

  test('is a third of the bytes and less, over connections that have it already', async () => {
    const bytesOf = async (options: GradientsCoordinatorOptions): Promise<number> => {
      const stage = new Stage();
      await stage.gradients(options);
      const a = await stage.child('a', packs);
      // What it sends itself is the same in both.
      for (let child = 0; child < 4; child++) await stage.child(`idle ${child}`, packs);
      const before = stage.network.statistics.bytes;
      for (let round = 0; round < 5; round++) await stage.send(a, rows(round));
      return stage.network.statistics.bytes - before;
    };
    const upward = 5 * 4 * length;
    expect((await bytesOf(packing)) - upward).toBeLessThan(((await bytesOf({})) - upward) / 3);
  });

  test('comes to all children the same for all children to the bit, and follows main', async () => {
    const stage = new Stage();
    const coordinator = await stage.gradients(packing);
    const a = await stage.child('a', packs);
    const b = await stage.child('b', packs);
    const whole = await stage.child('whole');
    let late: { child: Child } | undefined;
    for (let round = 0; round < 12; round++) {
      await stage.send(a, rows(round));
      if (round === 5) late = await stage.child('late', packs);
      if (round === 7) {
        stage.network.partition(['b']);
        stage.network.cut('b');
      }
      if (round === 9) {
        stage.network.heal();
        await stage.settle(60_000);
      }
    }
    const main = coordinator.getModelParameters().values;
    const views = [a, b, whole, late].map((one) => one?.child.main);
    for (const view of views) {
      expect(view?.baseVersion).toBe(13);
      expect(view?.values).toEqual(views[0]?.values);
    }
    const error = norm(minus(views[0]?.values ?? [], main));
    expect(error).toBeGreaterThan(0);
    // As far off as the last step alone: what earlier ones left out was made up for.
    expect(error).toBeLessThan(0.01 * norm(rows(11)));
  });

  test('differences of parameters go on top of main as the coordinator has it', async () => {
    const stage = new Stage();
    const both = { compression: compression({ updates: exact, main: 'oneBit' }) };
    const coordinator = await stage.parameters({ mode: { mode: 'buffered', updates: 1 }, ...both });
    const a = await stage.child('a', packs);
    const total = new Float64Array(length);
    for (let round = 0; round < 5; round++) {
      await a.child.adopt();
      const step = rows(round);
      const from = a.model.adopted;
      await stage.send(
        a,
        step.map((value, i) => (from[i] as number) + value),
      );
      for (let i = 0; i < length; i++) total[i] = (total[i] as number) + (step[i] as number);
    }
    // The child never had main itself, and still nothing of it got lost.
    expect(
      norm(minus(a.child.main?.values ?? [], coordinator.getMainModelParameters().values)),
    ).toBeGreaterThan(1);
    expect(norm(minus(coordinator.getMainModelParameters().values, total))).toBeLessThan(1e-4);
  });

  test('that is set to another layout starts afresh', async () => {
    const stage = new Stage();
    const coordinator = await stage.gradients(packing);
    const a = await stage.child('a', packs);
    await stage.send(a, rows(1));
    coordinator.setModelParameters(
      ModelParameters.fromArrays({ wide: [1 / 3, 2], other: [3] }, { dtype: 'float32' }),
    );
    await stage.settle();
    expect(a.child.main?.values).toEqual(Float32Array.of(1 / 3, 2, 3));
  });
});
