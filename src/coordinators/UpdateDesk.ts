import { LimitExceededError, StaleUpdateError } from '../errors.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { Message, UpdateMessage, UpdateStatus, WireError } from '../protocol/messages.ts';
import type { ChildServer } from './ChildServer.ts';
import { readUpdate } from './readUpdate.ts';
import type { RoadReceipt } from './receipts.ts';
import { toWireError } from './wireError.ts';

/** Whose updates a desk takes, and for whom. */
export interface DeskChild {
  readonly id: string;
  readonly epoch: number;
  readonly server: ChildServer;
}

/** What a desk needs of its session. */
export interface DeskSession {
  readonly updatesPerSecondMax: number;
  now(): number;
  send(message: Message): void;
  /** Sends the newest main, where the child has made use of the last that it was sent: this is the version it has. */
  refresh(usedVersion: number): void;
}

/** An answer for a run of updates. */
interface Answer {
  readonly first: number;
  last: number;
  readonly status: UpdateStatus;
  version: number;
  readonly error: WireError | null;
}

/** Takes the updates of one child, and answers what came in a turn together: one receipt for a run of them. */
export class UpdateDesk {
  readonly #child: DeskChild;
  readonly #session: DeskSession;
  #answers: Answer[] = [];
  #committed: number[] = [];
  /** Version of main that the last update was made from. */
  #usedVersion = 0;
  #isTurn = false;
  #isClosed = false;
  /** Updates that the child may send now; as many as a second allows at most. */
  #allowance: number;
  #allowedMs: number;

  constructor(child: DeskChild, session: DeskSession) {
    this.#child = child;
    this.#session = session;
    this.#allowance = session.updatesPerSecondMax;
    this.#allowedMs = session.now();
  }

  /** Takes an update in. Throws MalformedDataError where its content cannot be read. */
  take(message: UpdateMessage, layout: ParameterLayout): void {
    if (this.#isClosed) return;
    const { sequence } = message;
    const { id: childId, epoch, server } = this.#child;
    const { content, isAdrift } = readUpdate(message, layout, server);
    // It is for whoever takes over: the child sends it again there.
    if (server.isHandingOver) return;
    this.#beginTurn();
    this.#usedVersion = message.baseVersion ?? 0;
    const { version: mainVersion } = server.coordinator;
    // What has been taken is not refused when it comes again, however soon or late.
    if (!server.coordinator.hasTaken(childId, epoch, sequence)) {
      if (!this.#isWithinRate()) {
        const reason = `more than ${this.#session.updatesPerSecondMax} updates a second; send fewer, or later`;
        this.#answer(sequence, 'refused', mainVersion, toWireError(new LimitExceededError(reason)));
        return;
      }
      if (isAdrift) {
        const reason = `the update is a difference to version ${message.baseVersion} of main, which is not kept any more`;
        this.#answer(sequence, 'stale', mainVersion, toWireError(new StaleUpdateError(reason)));
        return;
      }
    }
    const wasKept = server.coordinator.keepsUpdates;
    const receipt = server.coordinator.submit(content, { childId, epoch, sequence });
    if (!wasKept && !server.coordinator.keepsUpdates) server.buffers.give(content.values);
    const { status, version, reason } = receipt;
    if (status === 'duplicate') this.#answerAgain(sequence, receipt);
    else {
      this.#answer(sequence, status, version, reason === undefined ? null : toWireError(reason));
      if (status !== 'applied' && status !== 'accepted') return;
      server.unsettled.add(childId, epoch, sequence, receipt);
      this.#await(sequence, receipt);
    }
  }

  /** Sends the answers that wait. */
  flush(): void {
    if (this.#isTurn) {
      this.#isTurn = false;
      // What was applied in this turn is committed now, so that the answers are complete.
      this.#child.server.coordinator.release();
    }
    const session = this.#session;
    const answers = this.#answers.splice(0);
    // First: a child that waits for its commit, or hears that it is behind, begins its next round with this main.
    if (this.#committed.length > 0 || answers.some(({ error }) => error !== null))
      session.refresh(this.#usedVersion);
    for (const answer of answers) session.send({ type: 'receipt', ...answer });
    for (const [first, last] of runsOf(this.#committed.splice(0)))
      session.send({ type: 'committed', first, last });
  }

  /** The connection is gone: what is still to be said is said when the child comes back and asks. */
  close(): void {
    this.#isClosed = true;
    if (this.#isTurn) this.#child.server.coordinator.release();
    this.#isTurn = false;
  }

  /** An update comes again: the child has not heard what became of it. */
  #answerAgain(sequence: number, { version, reason }: RoadReceipt): void {
    const { id: childId, epoch, server } = this.#child;
    const first = server.unsettled.find(childId, epoch, sequence);
    if (first?.status === 'accepted') this.#answer(sequence, 'accepted', version, null);
    else this.#answer(sequence, 'duplicate', version, reason === undefined ? null : toWireError(reason));
    if (first === undefined) this.#committed.push(sequence);
    else this.#await(sequence, first);
  }

  #await(sequence: number, receipt: RoadReceipt): void {
    receipt.onSettled(
      () => {
        this.#committed.push(sequence);
        this.#flushSoon();
      },
      // Not from inside the coordinator's own work.
      (error) => void Promise.resolve().then(() => this.#reject(sequence, error)),
    );
  }

  #reject(sequence: number, error: Error): void {
    // Given up here, but not by whoever takes over: the child sends it again there.
    if (this.#isClosed || this.#child.server.isHandingOver) return;
    this.flush();
    this.#session.send({ type: 'rejected', sequence, error: toWireError(error) });
  }

  #answer(sequence: number, status: UpdateStatus, version: number, error: WireError | null): void {
    const last = this.#answers[this.#answers.length - 1];
    if (
      last !== undefined &&
      last.status === status &&
      last.last === sequence - 1 &&
      error === null &&
      last.error === null
    ) {
      last.last = sequence;
      last.version = version;
    } else this.#answers.push({ first: sequence, last: sequence, status, version, error });
  }

  #beginTurn(): void {
    if (this.#isTurn) return;
    this.#isTurn = true;
    this.#child.server.heard();
    this.#child.server.coordinator.hold();
    this.#flushSoon();
  }

  /** After all that came in this turn. */
  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    void Promise.resolve().then(() => {
      this.#isFlushing = false;
      if (!this.#isClosed) this.flush();
    });
  }
  #isFlushing = false;

  #isWithinRate(): boolean {
    const { updatesPerSecondMax } = this.#session;
    if (updatesPerSecondMax === Number.POSITIVE_INFINITY) return true;
    const nowMs = this.#session.now();
    this.#allowance += ((nowMs - this.#allowedMs) / 1000) * updatesPerSecondMax;
    this.#allowance = Math.min(updatesPerSecondMax, this.#allowance);
    this.#allowedMs = nowMs;
    if (this.#allowance < 1) return false;
    this.#allowance--;
    return true;
  }
}

/** Runs of consecutive numbers. */
function* runsOf(numbers: number[]): Generator<[number, number]> {
  numbers.sort((a, b) => a - b);
  for (let start = 0; start < numbers.length; ) {
    let end = start;
    while (end + 1 < numbers.length && numbers[end + 1] === (numbers[end] as number) + 1) end++;
    yield [numbers[start] as number, numbers[end] as number];
    start = end + 1;
  }
}
