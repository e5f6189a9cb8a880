import { InvalidOptionError } from '../../errors.ts';
import { show } from '../../show.ts';

/**
 * How much an update counts that started from a main τ versions ago: `'inverseSquareRoot'` is 1 / √(1 + τ) (Nguyen et al.
 * 2022, section 5), `'none'` is 1, a function of your own returns a number from 0 to 1.
 */
export type StalenessWeight = 'inverseSquareRoot' | 'none' | ((staleness: number) => number);

const weights = {
  inverseSquareRoot: (staleness: number): number => 1 / Math.sqrt(1 + staleness),
  none: (): number => 1,
} as const;

/** The function that an option means. Throws InvalidOptionError for an unknown one. */
export function createStalenessWeight(option: StalenessWeight): (staleness: number) => number {
  if (typeof option === 'function') return checked(option);
  if (Object.hasOwn(weights, option)) return weights[option];
  throw new InvalidOptionError(
    `stalenessWeight is ${show(option)}, expected ${Object.keys(weights).join(', ')} or a function`,
  );
}

function checked(weigh: (staleness: number) => number): (staleness: number) => number {
  return (staleness) => {
    const weight: unknown = weigh(staleness);
    if (typeof weight === 'number' && weight >= 0 && weight <= 1) return weight;
    throw new InvalidOptionError(
      `stalenessWeight of ${staleness} is ${show(weight)}, expected a number from 0 to 1`,
    );
  };
}
