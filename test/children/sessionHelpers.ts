import type { ChildOptions, GradientsCoordinatorOptions, Random, StoreOperation } from 'mainstem';
import { Child, DistributedGradientsCoordinator, MemoryStore, seededRandom } from 'mainstem';
import { VirtualNetwork } from 'mainstem/testing';
import { parametersOf } from '../coordinators/helpers.ts';
import { ScriptedModel } from '../coordinators/simulation/actors.ts';

/** A child, its model, and what has happened to it. */
export interface Watched {
  readonly child: Child;
  readonly model: ScriptedModel;
  readonly events: string[];
  /** Sends gradients of these values. */
  send(...values: number[]): ReturnType<Child['send']>;
}

/** A coordinator whose learning rate is 1 and whose main begins with zeros, and children, on a virtual network. */
export class Scene {
  readonly network: VirtualNetwork = new VirtualNetwork({ seed: 1 });
  readonly random: Random = seededRandom(1);
  /** Connections that children have asked for. */
  connections = 0;
  /** Children that came and went, as the coordinator says. */
  readonly attendance: string[] = [];

  /** Another coordinator, which listens. */
  async start(
    options: GradientsCoordinatorOptions = {},
    { restores = false }: { restores?: boolean } = {},
  ): Promise<DistributedGradientsCoordinator> {
    const { clock } = this.network;
    const coordinator = new DistributedGradientsCoordinator({
      clock,
      random: this.random,
      learningRate: 1,
      ...options,
    });
    coordinator.on('childJoined', ({ childId }) => this.attendance.push(`+${childId}`));
    coordinator.on('childLeft', ({ childId }) => this.attendance.push(`-${childId}`));
    if (!restores || !(await coordinator.restore())) coordinator.setModelParameters(parametersOf(0, 0, 0));
    await coordinator.listen(this.network.transport('coordinator'));
    return coordinator;
  }

  /** Connects a child from a host of its name, unless given. */
  async connect(
    childId: string,
    { host = childId, ...options }: Partial<ChildOptions> & { host?: string } = {},
  ): Promise<Watched> {
    const model = new ScriptedModel();
    const { clock } = this.network;
    const transport = this.network.transport(host, { to: 'coordinator' });
    const joining = Child.connect({
      transport: {
        connect: () => {
          this.connections++;
          return transport.connect();
        },
      },
      model,
      childId,
      clock,
      random: this.random,
      ...options,
    });
    await this.pass(1_000);
    const child = await joining;
    const events: string[] = [];
    child.on('disconnected', () => events.push('disconnected'));
    child.on('reconnected', () => events.push('reconnected'));
    child.on('closed', (error) => events.push(`closed: ${error?.message}`));
    const send = (...values: number[]): ReturnType<Child['send']> => {
      model.values = values;
      return child.send();
    };
    return { child, model, events, send };
  }

  /** Lets so much virtual time pass, with its heartbeats. */
  async pass(forMs: number): Promise<void> {
    const { clock } = this.network;
    const endMs = clock.now() + forMs;
    clock.schedule(() => {}, forMs);
    await this.network.settle({ timeLimitMs: forMs });
    clock.advance(Math.max(0, endMs - clock.now()));
    await this.network.settle({ timeLimitMs: 0 });
  }

  /** Breaks the connections of a host, and makes no new ones until `network.heal`. */
  async isolate(host: string, options: { halfOpenMs?: number } = {}): Promise<void> {
    this.network.partition([host]);
    this.network.cut(host, options);
    await this.pass(100);
  }

  /** Ends all partitions, and waits until everybody has found the coordinator again. */
  async heal(): Promise<void> {
    this.network.heal();
    await this.pass(31_000);
  }
}

/** How a promise stands. */
export function stateOf(promise: Promise<unknown>): { is: 'pending' | 'fulfilled' | string } {
  const state: { is: 'pending' | 'fulfilled' | string } = { is: 'pending' };
  promise.then(
    () => {
      state.is = 'fulfilled';
    },
    (error: { code?: string }) => {
      state.is = String(error.code);
    },
  );
  return state;
}

/** A store whose batches end when they are let. */
export class HeldStore extends MemoryStore {
  isHeld = false;
  readonly waiting: (() => void)[] = [];

  override batch(operations: readonly StoreOperation[]): never {
    if (!this.isHeld) return super.batch(operations) as never;
    return new Promise<void>((resolve) => {
      this.waiting.push(() => {
        super.batch(operations);
        resolve();
      });
    }) as never;
  }

  letAll(): void {
    this.isHeld = false;
    for (const go of this.waiting.splice(0)) go();
  }
}
