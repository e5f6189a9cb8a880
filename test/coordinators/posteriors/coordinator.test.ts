import { Child, InProcessTransport, MemoryStore } from 'mainstem';
import type { BayesianModel, Schedule } from 'mainstem/bayesian';
import {
  BayesianLinearRegression,
  BayesPointMachine,
  Beta,
  BetaBernoulli,
  DistributedPosteriorsCoordinator,
  exchangeMessages,
  Gamma,
  Gaussian,
  MessageModel,
  PosteriorChild,
  VectorGaussian,
} from 'mainstem/bayesian';
import { VirtualClock, VirtualNetwork } from 'mainstem/testing';
import { describe, expect, test } from 'vitest';
import { distance, machinesOf, problem } from '../../models/bayesian/probitProblems.ts';

type Probability = { readonly probability: Beta };

function counting(options: object = {}): DistributedPosteriorsCoordinator<Probability> {
  return new DistributedPosteriorsCoordinator<Probability>({
    prior: { probability: Beta.of(1, 1) },
    ...options,
  });
}

const said = (successes: number, failures: number): Probability => {
  return { probability: Beta.natural(successes, failures) };
};

describe('messages in one process', () => {
  test('add up with the prior, replace the one before, and are unlearned', () => {
    const coordinator = counting();
    expect(coordinator.posterior.probability.a).toBe(1);
    const first = coordinator.addMessage(said(2, 1), { childId: 'europe' });
    expect([first.status, first.version]).toEqual(['applied', 1]);
    coordinator.addMessage(said(1, 1), { childId: 'asia' });
    coordinator.addMessage(said(4, 2), { childId: 'europe' });
    expect([coordinator.posterior.probability.a, coordinator.posterior.probability.b]).toEqual([6, 4]);
    expect(Array.from(coordinator.inboxOf('europe').probability.natural)).toEqual([1, 1]);
    expect(Array.from(coordinator.getModelParameters().values)).toEqual([5, 3]);
    expect(coordinator.unlearnChild('europe')).toBe(true);
    expect(coordinator.unlearnChild('europe')).toBe(false);
    expect([coordinator.posterior.probability.a, coordinator.posterior.probability.b]).toEqual([2, 2]);
    expect(coordinator.children).toEqual(['asia']);
    expect(Array.from(coordinator.getModelParameters().values)).toEqual([1, 1]);
  });

  test('a child that leaves stays counted', () => {
    const coordinator = counting();
    coordinator.addMessage(said(2, 1), { childId: 'europe' });
    coordinator.removeChild('europe');
    expect(coordinator.children).toEqual([]);
    expect(coordinator.speakers).toEqual(['europe']);
    coordinator.addMessage(said(1, 0), { childId: 'asia' });
    expect(coordinator.posterior.probability.a).toBe(4);
  });

  test('what comes twice is a duplicate, what comes after a newer one is stale', () => {
    const coordinator = counting();
    const say = (sequence: number, epoch: number, successes: number): string => {
      const { status, reason } = coordinator.addMessage(said(successes, 0), {
        childId: 'a',
        sequence,
        epoch,
      });
      return reason === undefined ? status : reason.code;
    };
    expect(say(2, 1, 5)).toBe('applied');
    expect(say(2, 1, 9)).toBe('DUPLICATE_UPDATE');
    expect(say(1, 1, 9)).toBe('STALE_UPDATE');
    expect(coordinator.posterior.probability.a).toBe(6);
    expect(say(1, 2, 7)).toBe('applied');
    expect(coordinator.posterior.probability.a).toBe(8);
  });

  test('refuses other variables, no child, and a place that there is not, and is unchanged', () => {
    const coordinator = counting({ limits: { keptChildrenMax: 1 } });
    coordinator.addMessage(said(2, 1), { childId: 'a' });
    expect(() => coordinator.addMessage({ rate: Gamma.of(1, 1) } as never, { childId: 'a' })).toThrow(
      'beliefs about rate, expected probability',
    );
    expect(coordinator.addMessage(said(1, 1), {} as never).reason?.message).toContain('names no child');
    expect(coordinator.addMessage(said(1, 1), { childId: 'b' }).reason?.code).toBe('LIMIT_EXCEEDED');
    expect(coordinator.posterior.probability.a).toBe(3);
    expect(coordinator.version).toBe(1);
  });

  test('refuses options that are not for messages', () => {
    for (const name of ['mode', 'sharedTensors', 'compression'])
      expect(() => counting({ [name]: 'immediate' })).toThrow(`${name} is not for messages`);
    expect(() => counting({ schedule: 'never' })).toThrow('schedule is "never"');
    expect(() => counting({ tolerance: 0 })).toThrow('tolerance is 0');
    expect(() =>
      counting({
        prior: {
          probability: Beta.uniform()
            .power(0)
            .withNatural(new Float64Array([-1, 0])),
        },
      }),
    ).toThrow('prior.probability is improper');
    expect(() => (counting() as { setMode(mode: string): void }).setMode('immediate')).toThrow(
      'has a schedule',
    );
  });

  test('a message that would make main improper is taken in part, counted, and main stays proper', () => {
    const coordinator = new DistributedPosteriorsCoordinator({ prior: { skill: Gaussian.of(0, 1) } });
    const { status } = coordinator.addMessage({ skill: Gaussian.natural(3, -4) }, { childId: 'a' });
    expect(status).toBe('applied');
    expect(Array.from(coordinator.posterior.skill.natural)).toEqual([3, 1]);
    expect(coordinator.lastRound?.improper).toBe(1);
    // What is kept is what counts: it is unlearned as it was taken.
    coordinator.unlearnChild('a');
    expect(Array.from(coordinator.posterior.skill.natural)).toEqual([0, 1]);
  });

  test('one that others rest on is not unlearned', () => {
    const coordinator = new DistributedPosteriorsCoordinator({ prior: { skill: Gaussian.of(0, 1) } });
    coordinator.addMessage({ skill: Gaussian.natural(0, 2) }, { childId: 'a' });
    coordinator.addMessage({ skill: Gaussian.natural(0, -2) }, { childId: 'b' });
    expect(() => coordinator.unlearnChild('a')).toThrow('improper');
    expect(coordinator.children).toEqual(['a', 'b']);
    expect(coordinator.posterior.skill.precision).toBe(1);
  });

  test('in slices of ticks it is the same', () => {
    const coordinator = counting({ drive: 'tick', schedule: 'parallel' });
    coordinator.addChild('a');
    coordinator.addChild('b');
    const message = said(2, 1);
    coordinator.addMessage(message, { childId: 'a' });
    message.probability.natural[0] = 100;
    coordinator.addMessage(said(1, 1), { childId: 'b' });
    expect(coordinator.version).toBe(0);
    while (!coordinator.tick(1));
    expect(coordinator.version).toBe(1);
    expect(coordinator.posterior.probability.a).toBe(4);
  });

  test('a closed coordinator rejects what waited for its round', async () => {
    const coordinator = counting({ schedule: 'parallel' });
    coordinator.addChild('a');
    coordinator.addChild('b');
    const { status, committed } = coordinator.addMessage(said(1, 1), { childId: 'a' });
    expect(status).toBe('accepted');
    const converged = coordinator.converged();
    await Promise.all([
      expect(converged).rejects.toThrow('closed before the exchange converged'),
      coordinator.close(),
    ]);
    await expect(committed).rejects.toThrow('closed before the round');
  });
});

describe('with a store', () => {
  test('a restored coordinator has all messages, and goes on as if nothing had been', async () => {
    const store = new MemoryStore();
    const first = counting({ store });
    first.addMessage(said(2, 1), { childId: 'a/b', sequence: 1, epoch: 1 });
    await first.addMessage(said(5, 5), { childId: 'c' }).committed;
    first.removeChild('c');
    await first.close();
    const second = counting({ store });
    expect(await second.restore()).toBe(true);
    expect(second.posterior.probability.natural).toEqual(first.posterior.probability.natural);
    expect(second.speakers).toEqual(['a/b', 'c']);
    expect(second.addMessage(said(9, 9), { childId: 'a/b', sequence: 1, epoch: 1 }).status).toBe('duplicate');
    second.addMessage(said(3, 1), { childId: 'a/b', sequence: 2, epoch: 1 });
    expect(second.posterior.probability.a).toBe(9);
    expect(second.unlearnChild('c')).toBe(true);
    await second.close();
    const third = counting({ store });
    await third.restore();
    expect(third.speakers).toEqual(['a/b']);
    expect(third.posterior.probability.a).toBe(4);
  });

  test('messages of another prior are not restored', async () => {
    const store = new MemoryStore();
    const first = counting({ store });
    await first.addMessage(said(2, 1), { childId: 'a' }).committed;
    await first.close();
    const second = counting({ store, prior: { probability: Beta.of(2, 2) } });
    await expect(second.restore()).rejects.toThrow('prior');
    expect(second.speakers).toEqual([]);
  });
});

interface Scene {
  readonly network: VirtualNetwork;
  readonly clock: VirtualClock;
}

function createScene(seed = 1, faults: object = {}): Scene {
  const clock = new VirtualClock();
  return { clock, network: new VirtualNetwork({ seed, clock, faults: { delayMs: [1, 20], ...faults } }) };
}

/** Lets so much virtual time pass. */
async function pass({ network, clock }: Scene, forMs: number): Promise<void> {
  // Heartbeats and deadlines keep no time going by themselves.
  clock.schedule(() => {}, forMs);
  await network.settle({ timeLimitMs: forMs });
}

/** A coordinator of three weights that is served on the network. */
async function weighing({ network, clock }: Scene, schedule: Schedule) {
  const prior = { weights: VectorGaussian.isotropic(3, 0, 1) };
  const options = { prior, schedule, clock, tolerance: 1e-12 };
  const coordinator = new DistributedPosteriorsCoordinator(options);
  await coordinator.listen(network.transport('server'));
  return coordinator;
}

async function join<M extends BayesianModel<never>>({ network, clock }: Scene, childId: string, model: M) {
  const child = PosteriorChild.connect({
    transport: network.transport(childId),
    clock,
    childId,
    model: model as never,
  });
  await pass({ network, clock }, 500);
  return child;
}

const data = problem(3, 90, 3);
const alone = exchangeMessages(machinesOf(data, 1), { tolerance: 1e-13, maximumNumberOfRounds: 1_000 })
  .posterior.weights as VectorGaussian;

describe.each(['serial', 'parallel', 'asynchronous'] as const)('over connections, %s', (schedule) => {
  test('the children end where one machine with all rows does, and then it is quiet', async () => {
    const scene = createScene();
    const machines = machinesOf(data, 3, true);
    const coordinator = await weighing(scene, schedule);
    const reports: number[] = [];
    coordinator.on('messagesExchanged', ({ residual }) => reports.push(residual));
    const children = await Promise.all(
      Object.entries(machines).map(([name, machine]) => join(scene, name, machine as never)),
    );
    await pass(scene, 60_000);
    expect(coordinator.isConverged).toBe(true);
    expect(distance(coordinator.posterior.weights.mean, alone.mean)).toBeLessThan(1e-8);
    expect(distance(coordinator.posterior.weights.covariance, alone.covariance)).toBeLessThan(1e-8);
    for (const child of children) {
      const posterior = child.posterior as unknown as { weights: VectorGaussian };
      expect(distance(posterior.weights.mean, alone.mean)).toBeLessThan(1e-8);
    }
    // Nobody is asked any more.
    await coordinator.converged();
    const { version } = coordinator;
    await pass(scene, 60_000);
    expect(coordinator.version).toBe(version);
    expect(reports.at(-1)).toBeLessThan(1e-12);
    expect(coordinator.lastRound).toMatchObject({ improper: 0, isConverged: true });
    // Each message is d + d² numbers.
    const { bytes, messages } = coordinator.lastRound!;
    expect(bytes).toBe(messages * 8 * 12);
    await coordinator.close();
  });

  test('a child joins later, one is unlearned: the others go on to what their rows say', async () => {
    const scene = createScene(2);
    const machines = machinesOf(data, 3);
    const coordinator = await weighing(scene, schedule);
    await join(scene, 'machine-0', machines['machine-0'] as never);
    await join(scene, 'machine-1', machines['machine-1'] as never);
    await pass(scene, 30_000);
    expect(coordinator.isConverged).toBe(true);
    const pair = coordinator.posterior.weights;
    const last = await join(scene, 'machine-2', machines['machine-2'] as never);
    await pass(scene, 60_000);
    expect(coordinator.isConverged).toBe(true);
    expect(distance(coordinator.posterior.weights.mean, alone.mean)).toBeLessThan(1e-8);
    // It leaves, and stays counted.
    await last.leave();
    await pass(scene, 60_000);
    expect(coordinator.children).toEqual(['machine-0', 'machine-1']);
    expect(distance(coordinator.posterior.weights.mean, alone.mean)).toBeLessThan(1e-8);
    // What they say from an older main is no sign that all is done.
    const ends: VectorGaussian[] = [];
    coordinator.on('messagesExchanged', ({ isConverged }) => {
      if (isConverged) ends.push(coordinator.posterior.weights);
    });
    expect(coordinator.unlearnChild('machine-2')).toBe(true);
    await pass(scene, 60_000);
    expect(ends.length).toBeGreaterThan(0);
    for (const { mean } of ends) expect(distance(mean, pair.mean)).toBeLessThan(1e-8);
    expect(coordinator.isConverged).toBe(true);
    expect(distance(coordinator.posterior.weights.mean, pair.mean)).toBeLessThan(1e-10);
    await coordinator.close();
  });

  test('a child that has more to say says it, and the others hear of it', async () => {
    const scene = createScene(3);
    const models = [new BetaBernoulli(), new BetaBernoulli()];
    const coordinator = counting({ schedule, clock: scene.clock });
    await coordinator.listen(scene.network.transport('server'));
    const children = [];
    for (const [i, model] of models.entries()) children.push(await join(scene, `child-${i}`, model as never));
    await pass(scene, 30_000);
    expect(coordinator.isConverged).toBe(true);
    models[0]!.observe([true, true, false]);
    const spoken = children[0]!.speak();
    await pass(scene, 30_000);
    expect((await spoken).status).toMatch(/applied|accepted/);
    expect(coordinator.posterior.probability.a).toBe(3);
    expect(models[1]!.posterior().probability.a).toBe(3);
    expect(coordinator.isConverged).toBe(true);
    await coordinator.close();
  });

  test.each([
    1, 2, 3, 4, 5, 6,
  ])('dropped, doubled, late frames, cuts and a machine that dies: seed %d', async (seed) => {
    const faults = { drop: 0.02, duplicate: 0.05, reorder: 0.05, delayMs: [1, 200] };
    const scene = createScene(seed, faults);
    const machines = machinesOf(data, 3, true);
    const coordinator = await weighing(scene, schedule);
    for (const [name, machine] of Object.entries(machines)) await joinAtLast(scene, name, machine);
    await pass(scene, 2_000);
    // It dies without a word, and comes back as another process, with its rows and nothing else.
    scene.network.partition(['machine-1']);
    await pass(scene, 60_000);
    scene.network.heal();
    scene.network.setFaults({ delayMs: [1, 20] });
    await joinAtLast(scene, 'machine-1', machinesOf(data, 3, true)['machine-1']!);
    await pass(scene, 600_000);
    expect(coordinator.isConverged).toBe(true);
    expect(coordinator.speakers).toHaveLength(3);
    expect(distance(coordinator.posterior.weights.mean, alone.mean)).toBeLessThan(1e-8);
    expect(distance(coordinator.posterior.weights.covariance, alone.covariance)).toBeLessThan(1e-8);
    await coordinator.close();
  });
});

/** Until a connection lives long enough for the welcome. */
async function joinAtLast(scene: Scene, childId: string, model: BayesPointMachine): Promise<void> {
  const { network, clock } = scene;
  for (let attempt = 0; attempt < 20; attempt++) {
    const options = { transport: network.transport(childId), clock, childId, model, connectTimeoutMs: 5_000 };
    let outcome: 'in' | 'out' | undefined;
    PosteriorChild.connect(options).then(
      () => {
        outcome = 'in';
      },
      () => {
        outcome = 'out';
      },
    );
    while (outcome === undefined) await pass(scene, 1_000);
    if (outcome === 'in') return;
  }
  throw new Error(`${childId} did not get in`);
}

test('one that does not answer keeps nobody waiting in turn', async () => {
  const clock = new VirtualClock();
  const coordinator = counting({
    schedule: 'serial',
    clock,
    deadline: { factor: 3, floor: 1_000, ceiling: 1_000 },
  });
  for (const childId of ['a', 'silent', 'b']) coordinator.addChild(childId);
  const asked: string[] = [];
  coordinator.on('childAsked', ({ childId }) => {
    asked.push(childId);
    if (childId !== 'silent') coordinator.addMessage(said(asked.length, 0), { childId });
  });
  for (let second = 0; second < 6; second++) clock.advance(1_000);
  expect(asked.filter((id) => id === 'silent').length).toBeGreaterThan(1);
  expect(asked.filter((id) => id === 'b').length).toBeGreaterThan(1);
});

test('asynchronous: who has nothing new to hear is not asked, and one that was refused is asked again', () => {
  let refused = 1;
  const coordinator = counting();
  coordinator.use({
    name: 'refuses once',
    onUpdate: (update) => {
      if (update.childId === 'b' && refused-- > 0) throw new Error('not today');
      return update;
    },
  });
  const asked: string[] = [];
  coordinator.on('childAsked', ({ childId }) => asked.push(childId));
  for (const childId of ['a', 'b']) coordinator.addChild(childId);
  const told = (childId: string, successes: number): string[] => {
    asked.length = 0;
    coordinator.addMessage(said(successes, 1), { childId });
    return [...asked].sort();
  };
  expect(asked).toEqual(['a', 'b']);
  // b has been asked already; a hears of its own, as a model that has not settled by itself has to.
  expect(told('a', 1)).toEqual(['a']);
  expect(told('b', 1)).toEqual([]);
  expect(told('a', 2)).toEqual(['a', 'b']);
  expect(told('b', 1)).toEqual(['b']);
  // What is said again is no news, and with that of everybody the round is the last.
  expect(told('a', 2)).toEqual([]);
  expect(told('b', 1)).toEqual([]);
  expect(coordinator.isConverged).toBe(true);
});

test('asynchronous: where the one that all waited for leaves, the others go on', () => {
  const coordinator = counting();
  for (const childId of ['a', 'b']) coordinator.addChild(childId);
  coordinator.addMessage(said(1, 1), { childId: 'a' });
  coordinator.addMessage(said(1, 1), { childId: 'b' });
  // No news.
  coordinator.addMessage(said(1, 1), { childId: 'a' });
  expect(coordinator.waitingFor()).toMatchObject({ missing: ['b'], updates: 1, needed: 2 });
  expect(coordinator.waitingFor()?.reason).toContain('it waits for b');
  expect(coordinator.isConverged).toBe(false);
  coordinator.removeChild('b');
  expect(coordinator.isConverged).toBe(true);
  expect(coordinator.waitingFor()).toBeUndefined();
  expect(coordinator.posterior.probability.a).toBe(3);
});

test('a main that was kept back for long: a child that comes again still does not hear itself', async () => {
  const transport = new InProcessTransport();
  const coordinator = counting();
  let isOpen = true;
  coordinator.use({ name: 'keeps back', beforePublish: () => isOpen });
  await coordinator.listen(transport);
  coordinator.addMessage(said(7, 1), { childId: 'game' });
  const model = new BetaBernoulli();
  model.observe([true, false]);
  const first = await PosteriorChild.connect({ transport, childId: 'a', model });
  await first.leave();
  isOpen = false;
  // So many that nobody knows any more who had said what in the main that is out.
  for (let i = 1; i <= 300; i++) coordinator.addMessage(said(i, 0), { childId: 'game' });
  const again = new BetaBernoulli();
  again.observe([true, false]);
  const second = await PosteriorChild.connect({ transport, childId: 'a', model: again });
  // What the game says now, its own one and one, and the prior.
  expect([second.posterior.probability.a, second.posterior.probability.b]).toEqual([302, 2]);
  expect(coordinator.posterior.probability.a).toBe(302);
  await second.leave();
  await coordinator.close();
});

test('what is said from an older main is no sign that all is done', async () => {
  const transport = new InProcessTransport();
  const coordinator = counting();
  await coordinator.listen(transport);
  coordinator.addMessage(said(5, 5), { childId: 'game' });
  const models = [new BetaBernoulli(), new BetaBernoulli()];
  const children: Child[] = [];
  for (const [i, model] of models.entries()) {
    model.observe([true]);
    const own = new MessageModel(model);
    const child = await Child.connect({ transport, childId: `c${i}`, model: own });
    await child.adopt();
    own.compute();
    await child.send();
    children.push(child);
  }
  coordinator.unlearnChild('game');
  // Both have spoken, and nothing has changed: but they have not heard that the game is gone.
  for (const child of children) expect((await child.send()).status).toBe('applied');
  expect(coordinator.isConverged).toBe(false);
  const { version } = coordinator;
  for (const child of children) {
    while (child.version < version)
      await new Promise<void>((resolve) => void child.on('mainUpdated', () => resolve()));
    await child.adopt();
  }
  for (const child of children) await child.send();
  expect(coordinator.isConverged).toBe(true);
  for (const child of children) await child.leave();
  await coordinator.close();
});

test('what fails while a child answers is told to whoever listens, and the next time it answers again', async () => {
  const transport = new InProcessTransport();
  const coordinator = counting();
  await coordinator.listen(transport);
  let calls = 0;
  const model = {
    prior: { probability: Beta.of(1, 1) },
    computeMessage: () => {
      if (++calls === 2) throw new Error('no data today');
      return said(calls, 0);
    },
  };
  const logged: string[] = [];
  const log = (message: string): void => void logged.push(message);
  const logger = { debug: log, info: log, warn: log, error: log };
  const child = await PosteriorChild.connect({ transport, childId: 'a', model, logger });
  const failure = new Promise<Error>((resolve) => void child.on('error', resolve));
  expect((await failure).message).toContain('no data today');
  expect(logged).toEqual([]);
  await child.speak();
  expect(calls).toBeGreaterThan(2);
  expect(coordinator.posterior.probability.a).toBeGreaterThan(3);
  await child.leave();
  await coordinator.close();
});

describe('a Child with a MessageModel', () => {
  test('trains, sends and adopts as with any other model', async () => {
    const transport = new InProcessTransport();
    const rows = Array.from({ length: 12 }, (_, i) => ({ x: [i % 5], y: 3 * (i % 5) - 1 + (i % 3) }));
    const models = [0, 1].map((shard) => {
      const model = new BayesianLinearRegression({ noiseVariance: 0.5 });
      const own = rows.filter((_, row) => row % 2 === shard);
      return { model, x: own.map(({ x }) => x), y: own.map(({ y }) => y) };
    });
    for (const { model, x, y } of models) model.train(x, y);
    const coordinator = new DistributedPosteriorsCoordinator({ prior: models[0]!.model.prior });
    await coordinator.listen(transport);
    for (const [i, { model, x, y }] of models.entries()) {
      const child = await Child.connect({ transport, childId: `c${i}`, model: new MessageModel(model) });
      expect(child.kind).toBe('messages');
      const { receipt } = await child.train(x, y);
      expect(receipt.status).toBe('applied');
      await child.leave();
    }
    const pooled = new BayesianLinearRegression({ noiseVariance: 0.5 });
    pooled.train(
      rows.map(({ x }) => x),
      rows.map(({ y }) => y),
    );
    const { weights } = pooled.posterior();
    expect(distance(coordinator.posterior.weights.natural, weights.natural)).toBeLessThan(1e-10);
    // The second has heard the first.
    expect(models[1]!.model.predict([[2]])[0]![0]).toBeCloseTo(pooled.predict([[2]])[0]![0]!, 10);
    await coordinator.close();
  });

  test('another prior does not get in, nor a PosteriorChild where no messages are wanted', async () => {
    const transport = new InProcessTransport();
    const coordinator = counting();
    coordinator.addMessage(said(1, 1), { childId: 'x' });
    await coordinator.listen(transport);
    const model = new BetaBernoulli({ prior: Beta.of(2, 2) });
    await expect(PosteriorChild.connect({ transport, childId: 'a', model })).rejects.toThrow('prior');
    await coordinator.close();
    // Nor before anybody has said anything.
    const empty = counting();
    await empty.listen(transport);
    await expect(PosteriorChild.connect({ transport, childId: 'a', model })).rejects.toThrow('prior');
    expect(empty.speakers).toEqual([]);
    await empty.close();
    const { DistributedModelParametersCoordinator } = await import('mainstem');
    const other = new DistributedModelParametersCoordinator();
    await other.listen(transport);
    const connecting = PosteriorChild.connect({ transport, childId: 'a', model: new BetaBernoulli() });
    await expect(connecting).rejects.toThrow('the coordinator wants parameters');
    await other.close();
    await expect(PosteriorChild.connect({ transport, childId: 'a', model: {} as never })).rejects.toThrow(
      'needs a model with prior',
    );
  });
});

test('a message on the wire is 16 bytes a weight, and what frames need', async () => {
  const { clock, network } = createScene();
  const size = 100;
  const rows = problem(5, 20, size);
  const machine = new BayesPointMachine({ covariance: 'diagonal' });
  machine.observe(rows.features, rows.labels);
  const coordinator = new DistributedPosteriorsCoordinator({ prior: machine.prior, clock });
  await coordinator.listen(network.transport('server'));
  const child = await join({ network, clock }, 'a', machine as never);
  await pass({ network, clock }, 60_000);
  await child.leave();
  const updates = network.trace.filter(
    ({ kind, from, bytes }) => kind === 'send' && from === 'a' && bytes > 16 * size,
  );
  expect(updates.length).toBeGreaterThan(0);
  for (const { bytes } of updates) expect(bytes).toBeLessThan(16 * size + 100);
  await coordinator.close();
});
