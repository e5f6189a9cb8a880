import type {
  Connection,
  Listener,
  ModelParameters,
  Random,
  Receipt,
  Transport,
  UpdateIdentity,
} from 'mainstem';
import { DistributedGradientsCoordinator, DistributedModelParametersCoordinator } from 'mainstem';
import type { SimulatedWorld } from 'mainstem/testing';
import { gradientsOf, numbersOf, parametersOf } from '../helpers.ts';
import { FlakyDisk } from './FlakyDisk.ts';
import { Shadow } from './Shadow.ts';

/** What is simulated. */
export interface FederationOptions {
  readonly kind: 'gradients' | 'parameters';
  readonly updatesPerMain: number | undefined;
  readonly drive: 'immediate' | 'tick';
}

export const learningRate = 0.01;
const start = [0.5, -1.25, 3];

type AnyCoordinator = DistributedGradientsCoordinator | DistributedModelParametersCoordinator;

/** A coordinator under watch, its disk, and its shadow. */
export class Federation {
  readonly world: SimulatedWorld;
  readonly options: FederationOptions;
  readonly disk: FlakyDisk;
  readonly shadow: Shadow;
  /** Updates whose sender has been told that they survive. */
  readonly acknowledged: Set<number> = new Set();
  /** Ids of updates that must never be in main. */
  readonly bad: Set<number> = new Set();
  /** What has happened, and how often. */
  readonly counts: Record<string, number> = {};
  readonly #problems: string[] = [];
  #coordinator: AnyCoordinator | undefined;
  #listener: Listener | undefined;
  #highestSeen = 0;
  #nextId = 0;
  #isTicking = false;
  isOver = false;

  constructor(world: SimulatedWorld, options: FederationOptions) {
    this.world = world;
    this.options = options;
    this.disk = new FlakyDisk(world.clock, world.random);
    this.shadow = new Shadow({ ...options, learningRate }, start);
  }

  get random(): Random {
    return this.world.random;
  }

  /** The coordinator; undefined while it is down. */
  get coordinator(): AnyCoordinator | undefined {
    return this.#coordinator;
  }

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  /** Takes down what is wrong. A listener that threw would only be reported. */
  require(condition: boolean, otherwise: string): void {
    if (!condition) this.#problems.push(otherwise);
  }

  /** Throws where anything has been wrong so far. */
  check(): void {
    if (this.#problems.length > 0) throw new Error(this.#problems.slice(0, 3).join('; '));
  }

  /** Three values, the first of which is a number that no other update has. */
  newValues(): number[] {
    return [++this.#nextId, 4 * this.random.next() - 2, this.random.next()];
  }

  /** Starts a coordinator on what the disk holds. */
  async start(): Promise<void> {
    const coordinator = this.#create();
    this.#watch(coordinator);
    if (await coordinator.restore()) this.#checkRestored(coordinator);
    else if (coordinator instanceof DistributedGradientsCoordinator)
      coordinator.setModelParameters(parametersOf(...start));
    else coordinator.setMainModelParameters(parametersOf(...start));
    this.#coordinator = coordinator;
    this.#listener = await coordinator.listen(this.#tapped(this.world.network.transport('coordinator')));
  }

  /** The coordinator's process dies. */
  async crash(): Promise<void> {
    this.disk.kill();
    this.#coordinator = undefined;
    this.world.network.cut('coordinator');
    await this.#listener?.close();
    this.count('crash');
  }

  /** A call in the coordinator's own process. */
  add(values: readonly number[], sampleCount: number, identity: UpdateIdentity): Receipt | undefined {
    const coordinator = this.#coordinator;
    if (coordinator === undefined) return undefined;
    this.#beginCall();
    return coordinator instanceof DistributedGradientsCoordinator
      ? coordinator.addGradients(gradientsOf(values, sampleCount), identity)
      : coordinator.addModelParameters(parametersOf(...values), { ...identity, sampleCount });
  }

  /** Some work; true where all is done. */
  tick(budgetMs: number): boolean {
    this.#isTicking = true;
    const isDone = this.#coordinator?.tick(budgetMs) ?? true;
    this.#isTicking = false;
    return isDone;
  }

  /** A receipt has come: main must agree with it. */
  checkReceipt(id: number, { status, reason, committed }: Omit<Receipt, 'version'>): void {
    this.count(status);
    const version = this.shadow.versionOf(id);
    if (status === 'applied') this.require(version !== undefined, `update ${id} is said to be applied`);
    // Refused because its child was in the round already, it may come again, by a duplicating network too.
    if (status === 'refused' && reason?.code !== 'ALREADY_CONTRIBUTED')
      this.require(version === undefined, `update ${id} is said to be refused`);
    committed.then(
      () => {
        this.require(this.shadow.versionOf(id) !== undefined, `update ${id} is said to be committed`);
        this.acknowledged.add(id);
      },
      () => {},
    );
  }

  /** A child has got a main: it must be one that there was. */
  checkPublished(main: ModelParameters): void {
    const version = main.baseVersion ?? 0;
    this.#highestSeen = Math.max(this.#highestSeen, version);
    const expected = this.shadow.mainAt(version);
    this.require(
      isSame(numbersOf(main), expected),
      `main ${version} of a child is ${numbersOf(main)}, not ${expected}`,
    );
  }

  #create(): AnyCoordinator {
    const { kind, updatesPerMain, drive } = this.options;
    const { clock, random } = this.world;
    const shared = { drive, clock, random, store: this.disk.open() };
    if (kind === 'gradients')
      return new DistributedGradientsCoordinator({
        ...shared,
        learningRate,
        childrenPerUpdate: updatesPerMain ?? 1,
      });
    return new DistributedModelParametersCoordinator(
      updatesPerMain === undefined ? shared : { ...shared, childUpdatesPerMerge: updatesPerMain },
    );
  }

  #watch(coordinator: AnyCoordinator): void {
    const { shadow } = this;
    const isAlive = (): boolean => this.#coordinator === coordinator;
    coordinator.use({
      name: 'shadow',
      onUpdate: ({ childId, sequence, content }) => {
        const { values, sampleCount = 0 } = content;
        this.require(!this.bad.has(values[0] as number), `a bad update of ${childId} was taken in`);
        shadow.consider({ childId, sequence, values: Array.from(values), sampleCount });
      },
    });
    coordinator.on('mainUpdated', ({ version, children }) => {
      if (!isAlive()) return;
      const problem = shadow.advance(version, children);
      this.require(problem === undefined, problem ?? '');
      const main = numbersOf(coordinator.getModelParameters());
      const expected = shadow.mainAt(version);
      this.require(isSame(main, expected), `main ${version} is ${main}, expected ${expected}`);
    });
    coordinator.on('updateRejected', ({ childId, sequence, reason }) => {
      this.count(reason.code);
      // Outside of tick, only what is not queued at all is refused.
      if (isAlive() && (this.options.drive === 'immediate' || this.#isTicking))
        shadow.refuse(childId, sequence);
    });
    coordinator.on('childJoined', ({ childId }) => {
      if (isAlive()) shadow.join(childId);
    });
    coordinator.on('childLeft', ({ childId }) => {
      if (isAlive()) shadow.leave(childId);
    });
    coordinator.on('error', () => this.count('reported error'));
  }

  #checkRestored(coordinator: AnyCoordinator): void {
    const { version } = coordinator;
    const main = numbersOf(coordinator.getModelParameters());
    this.require(isSame(main, this.shadow.mainAt(version)), `the restored main ${version} is ${main}`);
    this.require(
      version >= this.#highestSeen,
      `version ${version} is restored, ${this.#highestSeen} was published`,
    );
    for (const id of this.acknowledged) {
      const at = this.shadow.versionOf(id);
      this.require(
        at !== undefined && at <= version,
        `update ${id} was acknowledged and is not in ${version}`,
      );
    }
    const kept = this.disk.contents.keys('default/latest/').map((key) => key.slice('default/latest/'.length));
    this.shadow.goBack(version, kept);
    this.count('restore');
  }

  #beginCall(): void {
    if (this.options.drive === 'immediate') this.shadow.endFold();
  }

  /** Notes where each frame begins. */
  #tapped(transport: Transport): Transport {
    const tap = (connection: Connection): Connection => ({
      peer: connection.peer,
      get bufferedBytes() {
        return connection.bufferedBytes;
      },
      send: (bytes) => connection.send(bytes),
      close: () => connection.close(),
      receive: (handlers) =>
        connection.receive({
          frame: (bytes) => {
            this.#beginCall();
            handlers.frame(bytes);
          },
          drained: () => handlers.drained(),
          closed: (error) => handlers.closed(error),
        }),
    });
    return {
      connect: () => transport.connect(),
      listen: (accept) => transport.listen((one) => accept(tap(one))),
    };
  }
}

/** Equal bit for bit. */
export function isSame(got: readonly number[], expected: readonly number[] | undefined): boolean {
  return got.length === expected?.length && got.every((value, i) => Object.is(value, expected[i]));
}
