import { ConnectionRefusedError, StaleSessionError } from '../errors.ts';
import type { Gradients } from '../parameters/Gradients.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import { encodeMessage } from '../protocol/codec.ts';
import type { ReportMessage, UpdateKind } from '../protocol/messages.ts';
import { valuesToBytes } from '../protocol/tensorBytes.ts';
import { show } from '../show.ts';
import type { UpdateIdentity } from './Membership.ts';
import type { RoadReceipt } from './receipts.ts';

/** What a child is told when it joins. */
export interface Terms {
  readonly kind: UpdateKind;
  /** Tensors that children share with main; undefined for all. */
  readonly sharedTensors: readonly string[] | undefined;
}

/** What a coordinator offers to children. */
export interface Offer {
  readonly terms: Terms;
  /** Main as children may see it. */
  main(): ModelParameters | undefined;
  /** Whether there is a main that a model of this layout fits; false before there is one. Throws where it does not. */
  checkLayout(layout: ParameterLayout): boolean;
}

/** What a server of children needs of its coordinator. */
export interface ServedCoordinator extends Offer {
  /** Counts a child in; returns the number of its new session. Throws to keep it out. */
  join(childId: string): number;
  leave(childId: string, epoch: number): void;
  submit(content: Gradients | ModelParameters, identity: UpdateIdentity): RoadReceipt;
  /** From here on commits wait for `release`: one for all that comes in a turn. */
  hold(): void;
  release(): void;
  /** Throws where a report cannot be taken. */
  takeReport(childId: string, report: ReportMessage): void;
  report(error: Error): void;
}

/** A child that is in, as its coordinator's server sees it. */
export interface JoinedSession {
  readonly childId: string | undefined;
  /** Sends main, unless the child has this version. */
  sendMain(main: ModelParameters, frame: Uint8Array): void;
  /** Says why, and ends the session. */
  refuse(error: Error): void;
  end(): void;
}

/** The children of one coordinator that have come over a connection. */
export class ChildServer {
  readonly federation: string;
  readonly coordinator: ServedCoordinator;
  readonly #sessions = new Set<JoinedSession>();

  constructor(federation: string, coordinator: ServedCoordinator) {
    this.federation = federation;
    this.coordinator = coordinator;
  }

  /** This server, where a child of this federation and layout belongs to it. Throws where it does not. */
  choose(federation: string, layout: ParameterLayout | undefined): ChildServer {
    if (federation !== this.federation) {
      throw new ConnectionRefusedError(
        `the child asks for federation ${show(federation)}, this is ${show(this.federation)}`,
      );
    }
    if (layout !== undefined) this.coordinator.checkLayout(layout);
    return this;
  }

  /** Takes a child in. One that comes again takes the place of its older session, which is told so. */
  add(session: JoinedSession): void {
    const older = [...this.#sessions].filter(({ childId }) => childId === session.childId);
    this.#sessions.add(session);
    const reason = `another session of child ${session.childId} has begun; ids must be unique`;
    for (const other of older) other.refuse(new StaleSessionError(reason));
  }

  remove(session: JoinedSession): void {
    this.#sessions.delete(session);
  }

  /** Sends main to every child. */
  publish(): void {
    if (this.#sessions.size === 0) return;
    const main = this.coordinator.main();
    if (main === undefined) return;
    const frame = encodeMain(main);
    for (const session of this.#sessions) session.sendMain(main, frame);
  }

  /** Greets a child with the version of main, 0 where there is none, and sends it main. */
  welcome(session: JoinedSession, greet: (version: number) => void): void {
    const main = this.coordinator.main();
    greet(main?.baseVersion ?? 0);
    if (main !== undefined) session.sendMain(main, encodeMain(main));
  }

  /** Ends the sessions of all children, and tells them why where there is a reason. */
  dismiss(reason?: Error): void {
    for (const session of [...this.#sessions]) {
      if (reason === undefined) session.end();
      else session.refuse(reason);
    }
  }
}

/** The frame of main, the same for every child. */
function encodeMain({ layout, dtype, baseVersion, values }: ModelParameters): Uint8Array {
  const { fingerprint } = layout;
  const payload = valuesToBytes(values);
  return encodeMessage({ type: 'main', fingerprint, dtype, version: baseVersion ?? 0, payload });
}
