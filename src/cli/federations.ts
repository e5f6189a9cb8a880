import type { Plan } from './plan.ts';
import type { FederatedWay } from './setting.ts';
import type { DealName } from './shards.ts';

/** One federation of the demo, by description: everybody who knows the seed can make their part of it. */
export interface Federation {
  /** How the rows are dealt out. */
  readonly split: DealName;
  readonly way: FederatedWay;
}

/** All federations of the demo, in the order in which children take part in them. */
export const federations: readonly Federation[] = [
  { split: 'even', way: 'gradients' },
  { split: 'even', way: 'parameters' },
  { split: 'skewed', way: 'gradients' },
  { split: 'skewed', way: 'parameters' },
  { split: 'raw', way: 'unscaled' },
  { split: 'raw', way: 'scaled' },
];

/** The name that children ask for. */
export function federationName({ split, way }: Federation): string {
  return `${split}/${way}`;
}

/** Rounds, and passes of a child over its rows in each. */
export function scheduleOf(way: FederatedWay, plan: Plan): { rounds: number; epochs: number } {
  if (way === 'gradients') return { rounds: plan.gradients.rounds, epochs: 1 };
  return way === 'parameters' ? plan.parameters : plan.scaling;
}
