import type { Architecture, JsonValue } from '../parameters/architecture.ts';
import type { TensorShape } from '../parameters/ParameterLayout.ts';
import type { DataType } from '../parameters/values.ts';

/** What a coordinator wants from its children. `messages` are beliefs about shared variables (mainstem/bayesian). */
export type UpdateKind = 'gradients' | 'parameters' | 'messages';

/**
 * What became of an update. `accepted`: taken in, not yet in main. `stale`: from an older session of the child, or from a
 * main that is too old.
 */
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
  /** Versions of the protocol that the child speaks, from … to. */
  readonly protocolMin: number;
  readonly protocolMax: number;
  readonly federation: string;
  readonly childId: string;
  /** Chosen by the child at random for as long as it lives: what comes back after a cut is the same session. */
  readonly session: string;
  /** From the welcome, where this session had one: `instance` and `epoch`; else empty and 0. */
  readonly instance: string;
  readonly epoch: number;
  /** Version of the main that the child has, 0 for none. */
  readonly version: number;
  /** Tensors of the child's model, so that it finds the generation that it fits; null where they are not known yet. */
  readonly layout: LayoutForm | null;
  readonly token: string | null;
  /** What it can read: types of numbers, and codecs. */
  readonly dtypes: readonly DataType[];
  readonly codecs: readonly string[];
}

/**
 * Coordinator → child: welcome, and what to send. A newer `main` than the child has follows, where there is one. The
 * epoch numbers the sessions of this child: updates of an older one are stale from now on.
 */
export interface Welcome {
  readonly type: 'welcome';
  /** The version of the protocol that both speak from now on. */
  readonly protocol: number;
  readonly kind: UpdateKind;
  /** Names this life of the coordinator. */
  readonly instance: string;
  readonly epoch: number;
  /** The coordinator knows the session: what it has not answered may be sent again. */
  readonly isResumed: boolean;
  /** Of main; 0: there is none yet. */
  readonly version: number;
  /** Tensors that are shared, as names or beginnings of names followed by `*`; the rest stays. Null: all. */
  readonly sharedTensors: readonly string[] | null;
  readonly codec: string;
  /** How updates are to be packed, where both ends can: settings that the codec of both reads. Null: they are not. */
  readonly compression: string | null;
}

/** Coordinator → child, at any time: why it is not served, or not any more. It need not come back. */
export interface Refusal {
  readonly type: 'refusal';
  readonly error: WireError;
}

/** Coordinator → child: the coordinator goes away. Null: for good; else the child may come back after that. */
export interface Goodbye {
  readonly type: 'goodbye';
  readonly returnAfterMs: number | null;
}

/** Either way: names and shapes, sent once before the first tensors that have them, and then named by `index`. */
export interface LayoutMessage extends LayoutForm {
  readonly type: 'layout';
  readonly index: number;
  readonly fingerprint: string;
}

/** Child → coordinator: gradients or parameters; the values are the payload. */
export interface UpdateMessage {
  readonly type: 'update';
  /** Index of its layout. */
  readonly layout: number;
  readonly dtype: DataType;
  readonly sequence: number;
  readonly sampleCount: number | null;
  readonly baseVersion: number | null;
  /** The payload is packed (docs/protocol.md): gradients, or the difference of parameters to main of `baseVersion`. */
  readonly isPacked: boolean;
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** Coordinator → child: what became of the updates from `first` to `last` so far. */
export interface ReceiptMessage {
  readonly type: 'receipt';
  readonly first: number;
  readonly last: number;
  readonly status: UpdateStatus;
  readonly version: number;
  readonly error: WireError | null;
}

/** Coordinator → child: these updates are in a version of main that survives a crash. The acknowledgement. */
export interface CommittedMessage {
  readonly type: 'committed';
  readonly first: number;
  readonly last: number;
}

/** Coordinator → child: an accepted update will not be part of main after all. */
export interface RejectedMessage {
  readonly type: 'rejected';
  readonly sequence: number;
  readonly error: WireError;
}

/** Coordinator → child: main; the payload is its values, or what differs from a main that the child has. */
export interface MainMessage {
  readonly type: 'main';
  /** Index of its layout. */
  readonly layout: number;
  readonly dtype: DataType;
  readonly version: number;
  /** The version that the payload is a difference to; null: it is whole. */
  readonly base: number | null;
  /** How many values of `base` stay, how many are replaced, how many stay …; null where `base` is. */
  readonly runs: readonly number[] | null;
  /** The payload is packed: what is to be added to `base`, in float32. */
  readonly isPacked: boolean;
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** Coordinator → child: the round that is open is to have an update of this child, from this version of main or a newer one. */
export interface AskedMessage {
  readonly type: 'asked';
  readonly version: number;
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
  | Goodbye
  | LayoutMessage
  | UpdateMessage
  | ReceiptMessage
  | CommittedMessage
  | RejectedMessage
  | MainMessage
  | AskedMessage
  | ReportMessage
  | ReportedMessage
  | Leave;

/** The version of the protocol that this package speaks. */
export const protocolVersion = 1;
