import type { Architecture, JsonValue } from '../parameters/architecture.ts';
import type { TensorShape } from '../parameters/ParameterLayout.ts';
import type { DataType } from '../parameters/values.ts';

/** What a coordinator wants from its children. */
export type UpdateKind = 'gradients' | 'parameters';

/** What became of an update. `accepted`: taken in, not yet in main. `stale`: from an older session of the child. */
export type UpdateStatus = 'applied' | 'accepted' | 'duplicate' | 'stale' | 'refused';

/** An error as it travels. */
export interface WireError {
  readonly code: string;
  readonly message: string;
}

/** Names, shapes and meaning of tensors. */
export interface LayoutForm {
  readonly tensors: readonly TensorShape[];
  readonly architecture: Architecture | null;
}

/** Child → coordinator, first: who is there. */
export interface Hello {
  readonly type: 'hello';
  readonly protocol: number;
  readonly federation: string;
  readonly childId: string;
  /** Tensors of the child's model, so that it finds the generation that it fits; null where they are not known yet. */
  readonly layout: LayoutForm | null;
}

/**
 * Coordinator → child: welcome, and what to send. Version 0: there is no main yet; otherwise a `main` follows. The
 * epoch numbers the sessions of this child: updates of an older one are stale from now on.
 */
export interface Welcome {
  readonly type: 'welcome';
  readonly kind: UpdateKind;
  readonly version: number;
  readonly epoch: number;
  /** Tensors that are shared, as names or beginnings of names followed by `*`; the rest stays. Null: all. */
  readonly sharedTensors: readonly string[] | null;
}

/** Coordinator → child, instead of a welcome; the connection closes. */
export interface Refusal {
  readonly type: 'refusal';
  readonly error: WireError;
}

/** Either way: names and shapes, sent once before the first tensors that have them. */
export interface LayoutMessage extends LayoutForm {
  readonly type: 'layout';
  readonly fingerprint: string;
}

/** Child → coordinator: gradients or parameters; the values are the payload. */
export interface UpdateMessage {
  readonly type: 'update';
  readonly fingerprint: string;
  readonly dtype: DataType;
  readonly sequence: number;
  readonly sampleCount: number | null;
  readonly baseVersion: number | null;
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** Coordinator → child: what became of an update so far. */
export interface ReceiptMessage {
  readonly type: 'receipt';
  readonly sequence: number;
  readonly status: UpdateStatus;
  readonly version: number;
  readonly error: WireError | null;
}

/** Coordinator → child: the update is in a version of main that survives a crash. The acknowledgement. */
export interface CommittedMessage {
  readonly type: 'committed';
  readonly sequence: number;
}

/** Coordinator → child: an accepted update will not be part of main after all. */
export interface RejectedMessage {
  readonly type: 'rejected';
  readonly sequence: number;
  readonly error: WireError;
}

/** Coordinator → child: main; the values are the payload. */
export interface MainMessage {
  readonly type: 'main';
  readonly fingerprint: string;
  readonly dtype: DataType;
  readonly version: number;
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** What a report is about. */
export type ReportSubject = 'evaluation' | 'featureStatistics';

/** Child → coordinator: sums that children report and the coordinator adds up. A later one replaces an earlier one. */
export interface ReportMessage {
  readonly type: 'report';
  /** Chosen by the child; the answer has it too. */
  readonly number: number;
  readonly subject: ReportSubject;
  /** Of an evaluation: the version of main that was evaluated. */
  readonly version: number | null;
  readonly content: { readonly [key: string]: JsonValue };
}

/** Coordinator → child: a report was taken, or not and why. */
export interface ReportedMessage {
  readonly type: 'reported';
  readonly number: number;
  readonly error: WireError | null;
}

/** Child → coordinator: goodbye. */
export interface Leave {
  readonly type: 'leave';
}

/** Everything that travels between a child and a coordinator. */
export type Message =
  | Hello
  | Welcome
  | Refusal
  | LayoutMessage
  | UpdateMessage
  | ReceiptMessage
  | CommittedMessage
  | RejectedMessage
  | MainMessage
  | ReportMessage
  | ReportedMessage
  | Leave;

/** The version of the protocol that this package speaks. */
export const protocolVersion = 1;
