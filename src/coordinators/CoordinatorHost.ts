import type { Clock } from '../clock.ts';
import { systemClock } from '../clock.ts';
import { ConnectionRefusedError, InvalidOptionError, toMainstemError } from '../errors.ts';
import { defaultCoordinatorLimits } from '../limits.ts';
import type { Logger } from '../logger.ts';
import { guardedLogger, silentLogger } from '../logger.ts';
import type { Gradients } from '../parameters/Gradients.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import { show } from '../show.ts';
import type { Listener, ServerTransport } from '../transport/Transport.ts';
import { refuseUnknownOptions } from '../unknownOptions.ts';
import type { ChildServer } from './ChildServer.ts';
import type { Coordinator } from './Coordinator.ts';
import { Doors } from './Doors.ts';
import type { Authenticate } from './options.ts';
import { checkCount } from './options.ts';

/** A coordinator of either kind. */
export type AnyCoordinator = Coordinator<Gradients> | Coordinator<ModelParameters>;

/** Options of CoordinatorHost. */
export interface CoordinatorHostOptions {
  /** Connections served at once by each listener, joined or not; 16,384 unless given. A new one is closed. */
  connectionsMax?: number;
  /** Updates that one child may send in a second; no limit unless given. More: refused. */
  updatesPerSecondMax?: number;
  /** Whether a child that wants to join is who it says; all, unless given. */
  authenticate?: Authenticate;
  /** Where time comes from; the platform unless given. */
  clock?: Clock;
  /** Where errors go of connections that belong to no coordinator yet; silent unless given. */
  logger?: Logger;
}

/**
 * Several coordinators behind one listener. A child is led to the federation that it asks for and, within it, to the
 * newest generation whose main its parameters fit (one without a main only where there is no other): after a patch that changes their layout, children of the old and of the
 * new layout train side by side, each with their own main. A child that has no parameters yet gets the newest.
 */
export class CoordinatorHost {
  readonly #connectionsMax: number;
  readonly #updatesPerSecondMax: number;
  readonly #authenticate: Authenticate | undefined;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #doors = new Doors();
  /** Newest generations first. */
  #coordinators: readonly AnyCoordinator[] = [];

  /** Throws InvalidOptionError for an illegal option. */
  constructor(options: CoordinatorHostOptions = {}) {
    const names = ['connectionsMax', 'updatesPerSecondMax', 'authenticate', 'clock', 'logger'];
    refuseUnknownOptions(options, names, 'CoordinatorHost');
    const { connectionsMax, updatesPerSecondMax } = { ...defaultCoordinatorLimits, ...options };
    const { authenticate, clock = systemClock, logger = silentLogger } = options;
    this.#updatesPerSecondMax = updatesPerSecondMax;
    this.#authenticate = authenticate;
    this.#clock = clock;
    this.#connectionsMax = checkCount(connectionsMax, 'connectionsMax');
    this.#logger = guardedLogger(logger);
  }

  /** Hosts a coordinator. Throws InvalidOptionError where its federation has one of this generation already. */
  add(coordinator: AnyCoordinator): this {
    const { federation, generation } = coordinator;
    const twin = this.#coordinators.find(
      (other) => other.federation === federation && other.generation === generation,
    );
    if (twin !== undefined) {
      throw new InvalidOptionError(
        `generation ${generation} of federation ${show(federation)} is hosted already; give the new coordinator the option generation`,
      );
    }
    this.#coordinators = [...this.#coordinators, coordinator].sort((a, b) => b.generation - a.generation);
    return this;
  }

  /**
   * Hosts a coordinator no longer: its children are told and disconnected, and may come back for what else is hosted.
   * False where it was not hosted. The coordinator itself stays open.
   */
  remove(coordinator: AnyCoordinator): boolean {
    if (!this.#coordinators.includes(coordinator)) return false;
    this.#coordinators = this.#coordinators.filter((other) => other !== coordinator);
    const { federation, generation } = coordinator;
    const reason = `generation ${generation} of federation ${show(federation)} has ended`;
    coordinator.server.dismiss(new ConnectionRefusedError(reason));
    return true;
  }

  /** Serves the children that connect over this transport, until the listener or the host is closed. */
  listen(transport: ServerTransport): Promise<Listener> {
    return this.#doors.open(transport, {
      clock: this.#clock,
      connectionsMax: this.#connectionsMax,
      updatesPerSecondMax: this.#updatesPerSecondMax,
      authenticate: this.#authenticate,
      choose: (federation, layout) => this.#choose(federation, layout),
      report: (error) => this.#logger.warn(error.message, error),
    });
  }

  /** Ends all connections. The coordinators stay open. */
  close(): Promise<void> {
    return this.#doors.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #choose(federation: string, layout: ParameterLayout | undefined): ChildServer {
    const generations = this.#coordinators.filter((coordinator) => coordinator.federation === federation);
    const [newest] = generations;
    if (newest === undefined)
      throw new ConnectionRefusedError(`there is no federation ${show(federation)} here`);
    if (layout === undefined) return newest.server;
    let empty: ChildServer | undefined;
    let mismatch: { generation: number; cause: unknown } | undefined;
    for (const { server, generation } of generations) {
      try {
        if (server.coordinator.checkLayout(layout)) return server;
        empty ??= server;
      } catch (cause) {
        mismatch ??= { generation, cause };
      }
    }
    if (empty !== undefined) return empty;
    throw new ConnectionRefusedError(
      `the child fits no generation; the newest is ${mismatch?.generation}: ${toMainstemError(mismatch?.cause).message}`,
      { cause: mismatch?.cause },
    );
  }
}
