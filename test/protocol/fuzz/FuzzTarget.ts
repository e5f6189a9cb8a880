import {
  type Connection,
  ConnectionClosedError,
  DistributedGradientsCoordinator,
  isMainstemError,
  type MainstemError,
  seededRandom,
} from 'mainstem';
import { VirtualClock } from 'mainstem/testing';
import { Reception } from '../../../src/coordinators/Reception.ts';
import type { Message } from '../../../src/protocol/messages.ts';
import type { ConnectionHandlers } from '../../../src/transport/Transport.ts';
import { numbersOf } from '../../coordinators/helpers.ts';
import { messageIn } from '../speaker.ts';
import { firstMain } from './conversations.ts';
import type { Bytes } from './drafts.ts';
import { UpdateOracle } from './UpdateOracle.ts';

/** How often each thing has happened: frames by what became of them, errors by their codes. */
export type Counts = Map<string, number>;

const layoutKind = 19;
const mainKind = 24;

/** A connection whose other end is the fuzz. What is sent to it is heard by `answered`, at once. */
class FuzzConnection implements Connection {
  readonly peer = 'fuzz';
  readonly bufferedBytes = 0;
  readonly oracle = new UpdateOracle();
  handlers: ConnectionHandlers | undefined;
  isClosed = false;
  readonly #answered: (message: Message) => void;

  constructor(answered: (message: Message) => void) {
    this.#answered = answered;
  }

  send(bytes: Bytes): void {
    if (this.isClosed) throw new ConnectionClosedError('the connection is closed');
    // Main and its layout are most of what is sent, and none of it is looked at.
    if (bytes[3] === mainKind || bytes[3] === layoutKind) return;
    const message = messageIn(bytes);
    if (message !== undefined) this.#answered(message);
  }

  receive(handlers: ConnectionHandlers): void {
    this.handlers = handlers;
  }

  close(): void {
    this.isClosed = true;
  }
}

/** One connection to the target. */
export interface Line {
  /** The number of the next frame. */
  readonly next: number;
  /** Whether the coordinator has closed it. */
  readonly isClosed: boolean;
  /** Brings bytes. Throws where anything but a typed error comes of them, or main changes for no good reason. */
  bring(bytes: Bytes): void;
  end(): void;
}

/** A coordinator with a plain main, and what must be true of it whatever comes over its connections. */
export class FuzzTarget {
  readonly counts: Counts = new Map();
  readonly coordinator: DistributedGradientsCoordinator;
  /** Of the last welcome: who comes back names them. */
  instance = '';
  epoch = 0;
  readonly #clock = new VirtualClock();
  readonly #reception: Reception;
  #main: number[] = numbersOf(firstMain);
  #version = 0;
  #changes = 0;
  /** What was found wrong inside a call that must not throw. */
  #violation: Error | undefined;

  constructor() {
    const clock = this.#clock;
    this.coordinator = new DistributedGradientsCoordinator({
      clock,
      random: seededRandom(1),
      learningRate: 1,
      limits: { childrenMax: 64 },
    });
    this.resetMain();
    this.coordinator.on('error', (error) => this.#countError('reported', error));
    this.coordinator.on('mainUpdated', () => this.#changes++);
    this.#reception = new Reception({
      clock,
      connectionsMax: 1_000,
      updatesPerSecondMax: Number.POSITIVE_INFINITY,
      authenticate: undefined,
      choose: (federation, layout) => this.coordinator.server.choose(federation, layout),
      report: (error) => this.#countError('reported', error),
    });
  }

  /** Sets main as it was first: sums of gradients do not grow without end. */
  resetMain(): void {
    this.coordinator.setModelParameters(firstMain);
    this.#main = numbersOf(firstMain);
    this.#version = this.coordinator.version;
    this.#changes = 0;
  }

  /** Lets virtual time pass: children whose connections broke are counted out. */
  pass(forMs: number): void {
    this.#clock.advance(forMs);
  }

  open(): Line {
    const connection = new FuzzConnection((message) => this.#hear(message));
    this.#reception.serve(connection);
    return {
      get next() {
        return connection.oracle.expected;
      },
      get isClosed() {
        return connection.isClosed;
      },
      bring: (bytes) => this.#bring(connection, bytes),
      end: () => connection.handlers?.closed(undefined),
    };
  }

  #bring(connection: FuzzConnection, bytes: Bytes): void {
    const before = this.#changes;
    connection.handlers?.frame(bytes);
    connection.oracle.read(bytes);
    const changes = this.#changes - before;
    if (changes > 0) this.#checkStep(changes, connection.oracle.update);
    this.#count(
      changes > 0
        ? 'frame: completed an update'
        : connection.isClosed
          ? 'frame: ended its connection'
          : 'frame: taken, overlooked or answered',
    );
    this.#throwViolation();
  }

  #checkStep(changes: number, update: Float32Array | Float64Array | undefined): void {
    if (changes > 1 || update === undefined)
      throw new Error(`main changed ${changes} times by a frame that completes no legal update`);
    this.#main = this.#main.map((value, i) => value - (update[i] as number));
    this.#version++;
    this.checkMain();
  }

  /** Throws unless main is, bit for bit, what the updates that were legal have made of it. */
  checkMain(): void {
    const { version } = this.coordinator;
    const main = numbersOf(this.coordinator.getModelParameters());
    if (version !== this.#version || !main.every((value, i) => Object.is(value, this.#main[i])))
      throw new Error(`main is ${main} at ${version}, expected ${this.#main} at ${this.#version}`);
    this.#throwViolation();
  }

  #throwViolation(): void {
    const violation = this.#violation;
    this.#violation = undefined;
    if (violation !== undefined) throw violation;
  }

  #hear(message: Message): void {
    switch (message.type) {
      case 'welcome':
        this.instance = message.instance;
        this.epoch = message.epoch;
        this.#count(message.isResumed ? 'answer: welcome back' : 'answer: welcome');
        return;
      case 'receipt':
        this.#countCode(`receipt ${message.status}`, message.error?.code);
        return;
      case 'refusal':
      case 'rejected':
      case 'reported':
        this.#countCode(message.type, message.error?.code);
        return;
      default:
        this.#count(`answer: ${message.type}`);
    }
  }

  #countError(where: string, error: Error): void {
    if (!isMainstemError(error)) this.#violation = new Error('an error that is not typed', { cause: error });
    else {
      this.#countCode(where, error.code);
      if (error.code === 'FAILED') this.#violation = new Error('an error of no kind', { cause: error });
    }
  }

  #countCode(what: string, code: MainstemError['code'] | undefined): void {
    this.#count(`answer: ${what} ${code ?? ''}`.trimEnd());
    if (code === 'FAILED') this.#violation ??= new Error(`${what} with an error of no kind`);
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }
}
