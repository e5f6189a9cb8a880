import {
  DuplicateUpdateError,
  LimitExceededError,
  MalformedDataError,
  StaleSessionError,
} from '../errors.ts';
import type { CoordinatorLimits } from '../limits.ts';
import type { NamedTensors } from '../parameters/NamedTensors.ts';
import { nonFiniteAt } from '../parameters/NamedTensors.ts';
import { findNonFinite } from '../parameters/values.ts';
import type { Steps } from '../steps.ts';
import { slices } from '../steps.ts';
import type { Member, UpdateIdentity } from './Membership.ts';

const identityKeys = ['childId', 'sequence', 'epoch'];

/** Checks what can be checked without looking at the numbers. Throws LimitExceededError or MalformedDataError. */
export function checkClaims(
  content: NamedTensors,
  identity: UpdateIdentity,
  limits: CoordinatorLimits,
): void {
  for (const key in identity) {
    if (identityKeys.includes(key) || !Object.hasOwn(identity, key)) continue;
    throw new MalformedDataError(`an update has no ${key}; it has ${identityKeys.join(', ')}`);
  }
  checkNumber(identity.sequence, 'sequence');
  checkNumber(identity.epoch, 'epoch');
  const { sampleCount } = content;
  if (content.values.length === 0) throw new MalformedDataError('the update has no values at all');
  if (sampleCount !== undefined && !(sampleCount <= limits.sampleCountMax)) {
    throw new LimitExceededError(
      `the update claims ${sampleCount} rows, at most ${limits.sampleCountMax} are allowed`,
    );
  }
}

/** Throws StaleSessionError where a newer session of the child is known. */
export function checkEpoch(member: Member, { epoch = 0 }: UpdateIdentity): void {
  if (epoch < member.epoch) {
    throw new StaleSessionError(`update of session ${epoch} of ${member.id}, its newest is ${member.epoch}`);
  }
}

/** Throws StaleSessionError or DuplicateUpdateError where the update must not be taken (again). */
export function checkFresh(member: Member, identity: UpdateIdentity): void {
  checkEpoch(member, identity);
  const { sequence, epoch = 0 } = identity;
  if (sequence === undefined) return;
  if (hasTaken(member, epoch, sequence))
    throw new DuplicateUpdateError(`update ${sequence} of ${member.id} was taken before`);
}

/** Whether an update of a child is in main, or on its way there. */
export function hasTaken(member: Member, epoch: number, sequence: number): boolean {
  const isInMain = epoch === member.epoch && member.window.has(sequence);
  return isInMain || member.inFlight.has(epoch, sequence);
}

function checkNumber(value: number | undefined, name: string): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) return;
  throw new MalformedDataError(`${name} is ${value}, expected a whole number, 0 or more`);
}

/** Throws NonFiniteError where a number is NaN or infinite. */
export function checkFinite(content: NamedTensors, what: string): Steps<void> {
  return slices(content.values.length, (start, end) => {
    const bad = findNonFinite(content.values, start, end);
    if (bad >= 0) throw nonFiniteAt(content, bad, what);
  });
}
