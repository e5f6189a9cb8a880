import {
  DuplicateUpdateError,
  LimitExceededError,
  MalformedDataError,
  StaleSessionError,
} from '../errors.ts';
import type { CoordinatorLimits } from '../limits.ts';
import type { NamedTensors } from '../parameters/NamedTensors.ts';
import type { Member, UpdateIdentity } from './Membership.ts';

/** Checks what can be checked without looking at the numbers. Throws LimitExceededError or MalformedDataError. */
export function checkClaims(
  content: NamedTensors,
  identity: UpdateIdentity,
  limits: CoordinatorLimits,
): void {
  checkNumber(identity.sequence, 'sequence');
  checkNumber(identity.epoch, 'epoch');
  const { sampleCount } = content;
  if (sampleCount !== undefined && !(sampleCount <= limits.sampleCountMax)) {
    throw new LimitExceededError(
      `the update claims ${sampleCount} rows, at most ${limits.sampleCountMax} are allowed`,
    );
  }
}

/** Throws StaleSessionError or DuplicateUpdateError where the update must not be taken (again). */
export function checkFresh(member: Member, { sequence, epoch = 0 }: UpdateIdentity): void {
  if (epoch < member.epoch) {
    throw new StaleSessionError(`update of session ${epoch} of ${member.id}, its newest is ${member.epoch}`);
  }
  if (epoch === member.epoch && sequence !== undefined && member.window.has(sequence)) {
    throw new DuplicateUpdateError(`update ${sequence} of ${member.id} was taken before`);
  }
}

function checkNumber(value: number | undefined, name: string): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) return;
  throw new MalformedDataError(`${name} is ${value}, expected a whole number, 0 or more`);
}
