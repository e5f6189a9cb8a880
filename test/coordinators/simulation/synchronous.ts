import type { GradientModel, Gradients, ModelParameters, ReconnectOptions } from 'mainstem';
import { Child, DistributedGradientsCoordinator, isMainstemError, SharedConnection } from 'mainstem';
import type { NetworkFaults, SimulatedWorld } from 'mainstem/testing';
import { gradientsOf, numbersOf, parametersOf } from '../helpers.ts';
import { FlakyDisk } from './FlakyDisk.ts';

const start = [0.5, -1.25, 3];
const reconnect: ReconnectOptions = { initialMs: 20, maxMs: 200, giveUpAfterMs: 3_600_000 };

/** What happens in a run. Unless `isPipelined`, each main is made of the gradients of all children. */
export interface SynchronousOptions {
  readonly children: number;
  readonly rounds: number;
  /** Each update makes a main, and children wait for nothing between two of them. */
  readonly isPipelined?: boolean;
  readonly faults?: NetworkFaults;
  /** Between two disturbances, at most; none unless given. */
  readonly disturbances?: readonly Disturbance[];
  readonly isDiskFlaky?: boolean;
  readonly drive?: 'immediate' | 'tick';
  /** All children share one connection, from the host of the first. */
  readonly isShared?: boolean;
}

/** What befalls the federation now and then: it ends by itself before the next one begins. */
export type Disturbance = (run: SynchronousRun) => Promise<void> | void;

/** What came of it. */
export interface SynchronousOutcome {
  readonly version: number;
  readonly main: readonly number[];
  readonly counts: Readonly<Record<string, number>>;
}

/**
 * A model whose gradients depend on where it stands and on whose it is, in numbers of so few bits that no sum of them is
 * ever rounded: main is then the same in whatever order the children come.
 */
class ExactModel implements GradientModel {
  readonly #share: number;
  #values: readonly number[] = start;
  #pushed: number | undefined;

  constructor(share: number) {
    this.#share = share;
  }

  setAreGradientsSaved(): void {}
  train = (): number[] => [];
  predict = (): number[] => [];
  computeGradients = (): Gradients => this.getGradients();

  setModelParameters(parameters: ModelParameters): void {
    this.#values = numbersOf(parameters);
  }

  getModelParameters(): ModelParameters {
    return parametersOf(...this.#values);
  }

  /** Gradients that do not depend on main. */
  push(value: number): void {
    this.#pushed = value;
  }

  getGradients(): Gradients {
    if (this.#pushed !== undefined) return gradientsOf([this.#pushed, 1, 0]);
    const towards = (value: number, i: number): number =>
      Math.round(64 * (value - this.#share * (i + 1))) / 64;
    return gradientsOf(this.#values.map(towards), 1 + (this.#share % 2));
  }
}

/** A federation whose main does not depend on who comes first, and what befalls it. */
export class SynchronousRun {
  readonly world: SimulatedWorld;
  readonly options: SynchronousOptions;
  readonly disk: FlakyDisk;
  readonly children: readonly string[];
  readonly counts: Record<string, number> = {};
  /** The version that each acknowledged update has come into main with, by child and round. */
  readonly #acknowledged = new Map<string, number>();
  #problem: Error | undefined;
  #coordinator: DistributedGradientsCoordinator | undefined;
  #close: (() => Promise<void>) | undefined;
  readonly #shared: SharedConnection;
  isOver = false;

  constructor(world: SimulatedWorld, options: SynchronousOptions) {
    this.world = world;
    this.options = options;
    this.disk = new FlakyDisk(world.clock, world.random);
    const { network, clock } = world;
    this.#shared = new SharedConnection(network.transport('child-0', { to: 'coordinator' }), { clock });
    this.children = Array.from({ length: options.children }, (_, i) => `child-${i}`);
  }

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  /** Starts a coordinator on what the disk holds. */
  async start(): Promise<void> {
    const { world, options, disk } = this;
    const { clock, random } = world;
    const coordinator = new DistributedGradientsCoordinator({
      clock,
      random,
      store: disk.open(),
      drive: options.drive ?? 'immediate',
      learningRate: 0.5,
      childrenPerUpdate: options.isPipelined === true ? 1 : options.children,
    });
    coordinator.on('mainUpdated', ({ children }) => {
      const expected = options.isPipelined === true ? 1 : options.children;
      if (children.length > 0 && new Set(children).size !== expected)
        this.#fail(`a main is made of ${children}`);
    });
    if (!(await coordinator.restore())) coordinator.setModelParameters(parametersOf(...start));
    for (const [what, version] of this.#acknowledged)
      if (version > coordinator.version)
        this.#fail(`${what} was acknowledged in ${version}, restored is ${coordinator.version}`);
    this.#coordinator = coordinator;
    const listener = await coordinator.listen(world.network.transport('coordinator'));
    this.#close = () => listener.close();
  }

  /** The coordinator's process dies, and another begins. */
  async crash(): Promise<void> {
    this.disk.kill();
    this.#coordinator = undefined;
    this.world.network.cut('coordinator');
    await this.#close?.();
    this.count('crash');
    await this.world.sleep(200 * this.world.random.next());
    await this.start();
  }

  /** The coordinator closes, and tells its children that another takes over. */
  async handOver(): Promise<void> {
    const coordinator = this.#coordinator;
    this.#coordinator = undefined;
    await coordinator?.close({ returnAfterMs: 50 });
    this.count('hand over');
    await this.start();
  }

  /** Plays all rounds. */
  async play(): Promise<SynchronousOutcome> {
    await this.start();
    this.disk.isHealthy = this.options.isDiskFlaky !== true;
    const weather = this.#disturb();
    const driver = this.#drive();
    const pulse = this.#goOn();
    await Promise.all(this.children.map((childId, i) => this.#playChild(childId, i)));
    this.isOver = true;
    await Promise.all([weather, driver, pulse]);
    if (this.#problem !== undefined) throw this.#problem;
    const main = (this.#coordinator as DistributedGradientsCoordinator).getModelParameters();
    return { version: main.baseVersion ?? 0, main: numbersOf(main), counts: this.counts };
  }

  #fail(problem: string): void {
    this.#problem ??= new Error(problem);
  }

  async #disturb(): Promise<void> {
    const { disturbances = [] } = this.options;
    const { random } = this.world;
    while (!this.isOver && disturbances.length > 0) {
      await this.world.sleep(300 * random.next());
      if (this.isOver) return;
      await disturbances[Math.floor(disturbances.length * random.next())]?.(this);
    }
  }

  /** Heartbeats keep no simulation going: where the last frame was lost they bring it to light. */
  async #goOn(): Promise<void> {
    while (!this.isOver) await this.world.sleep(1_000);
  }

  async #drive(): Promise<void> {
    while (!this.isOver && this.options.drive === 'tick') {
      await this.world.sleep(5 * this.world.random.next());
      this.#coordinator?.tick(0);
    }
  }

  async #playChild(childId: string, share: number): Promise<void> {
    const model = new ExactModel(share);
    const child = await this.#connect(childId, model);
    child.on('closed', (error) => {
      if (!this.isOver && error !== undefined) this.#fail(`${childId} has ended: ${error.message}`);
    });
    child.on('error', (error) => this.#fail(`${childId}: ${error.message}`));
    child.on('disconnected', () => this.count('disconnected'));
    if (this.options.isPipelined === true) await this.#playPipelined(child, model, share);
    else await this.#playRounds(child);
    await child.leave();
  }

  async #playPipelined(child: Child, model: ExactModel, share: number): Promise<void> {
    const ends: Promise<void>[] = [];
    for (let i = 0; i < this.options.rounds; i++) {
      model.push(1_000 * (share + 1) + i);
      ends.push(this.#sendOne(child));
      if (this.world.random.next() < 0.3) await this.world.sleep(40 * this.world.random.next());
      else await Promise.resolve();
    }
    await Promise.all(ends);
  }

  async #sendOne(child: Child): Promise<void> {
    const { status, committed } = await child.send();
    this.count(status);
    await committed;
  }

  async #playRounds(child: Child): Promise<void> {
    const { world, options } = this;
    const { childId } = child;
    for (let version = 1; version <= options.rounds; version++) {
      // The newest main is that of this round: the next needs an update of this very child.
      while (child.version < version) await world.sleep(10 * world.random.next());
      await child.adopt();
      if (child.version !== version) this.#fail(`${childId} has main ${child.version} in round ${version}`);
      await this.#sendOne(child);
      this.#acknowledged.set(`${childId} in round ${version}`, version + 1);
    }
    while (child.version <= options.rounds) await world.sleep(10);
  }

  /** A first connection that fails is the caller's to make again. */
  async #connect(childId: string, model: ExactModel): Promise<Child> {
    const { network, clock, random } = this.world;
    const own = network.transport(childId, { to: 'coordinator' });
    const transport = this.options.isShared === true ? this.#shared : own;
    for (;;) {
      try {
        return await Child.connect({ transport, model, childId, clock, random, reconnect });
      } catch (thrown) {
        if (!isMainstemError(thrown)) throw thrown;
        this.count('connected in vain');
        await this.world.sleep(50);
      }
    }
  }
}
