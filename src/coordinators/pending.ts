import type { MainstemError } from '../errors.ts';
import type { Gradients } from '../parameters/Gradients.ts';
import type { ModelParameters } from '../parameters/ModelParameters.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { DataType, Values } from '../parameters/values.ts';
import type { Settlement } from '../Settlement.ts';
import type { Member, UpdateIdentity } from './Membership.ts';
import type { UpdateStatus } from './receipts.ts';

/** An update between its admission and its commit. */
export interface Pending<T extends Gradients | ModelParameters> {
  readonly member: Member;
  readonly identity: UpdateIdentity;
  /** What is folded in: plugins may have replaced it. */
  content: T;
  status: UpdateStatus;
  reason: MainstemError | undefined;
  /** It has passed admission and the plugins. */
  isReceived: boolean;
  readonly settlement: Settlement;
  /** Values of the road's own, which nobody else has: used again once it is folded in. */
  copy: Values | undefined;
}

/** A new main, ready in the spare values. */
export interface MainChange<T extends Gradients | ModelParameters> {
  readonly layout: ParameterLayout;
  readonly dtype: DataType;
  /** Version of main that it was made from. */
  readonly base: number;
  readonly included: readonly Pending<T>[];
  /** Puts the subclass's own state in force, in the same moment. */
  adopt(): void;
}

/** The update is part of main: its number counts from now on, in memory and in the commit that follows. */
export function markApplied<T extends Gradients | ModelParameters>(pending: Pending<T>): void {
  const { member, identity } = pending;
  pending.status = 'applied';
  member.inFlight.delete(identity);
  if (identity.sequence !== undefined && (identity.epoch ?? 0) === member.epoch)
    member.window.add(identity.sequence);
}
