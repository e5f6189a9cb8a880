// Skill ratings over arena shards: players meet in three regions, and each region knows its own matches alone. Ratings and
// their uncertainties are those of one machine that has seen all matches.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Random } from 'mainstem';
import { InProcessTransport, seededRandom } from 'mainstem';
import type { VectorGaussian, WeightsBeliefs } from 'mainstem/bayesian';
import { BayesPointMachine, DistributedPosteriorsCoordinator, PosteriorChild } from 'mainstem/bayesian';
import type { Bin } from './plot.ts';
import { reliabilityDiagram } from './plot.ts';

const playerCount = 18;
const regions = ['europe', 'asia', 'america'] as const;

/** Sum of twelve uniform numbers: nearly normal, of mean 0 and variance 1. */
function normal(random: Random): number {
  return Array.from({ length: 12 }, () => random.next()).reduce((sum, value) => sum + value, -6);
}

interface Match {
  readonly first: number;
  readonly second: number;
  readonly isWon: boolean;
}

const random = seededRandom(2);
// The chance of winning is that of skill + form being higher, and nobody sees either.
const skills = Array.from({ length: playerCount }, () => 1.5 * normal(random));

/** Most play at home; some travel, or nobody could tell whether one region is better than another. */
function play(region: number): Match {
  const local = (): number => {
    const home = Math.floor((random.next() * playerCount) / 3) * 3 + region;
    return random.next() < 0.8 ? home : Math.floor(random.next() * playerCount);
  };
  const first = local();
  let second = local();
  while (second === first) second = local();
  const isWon = skills[first]! - skills[second]! + normal(random) > 0;
  return { first, second, isWon };
}

const matches = regions.map((_, region) =>
  Array.from({ length: [150, 90, 40][region]! }, () => play(region)),
);

/** A match is a row: 1 for the first player, −1 for the second. The weights are the skills. */
function rowsOf(played: readonly Match[]): { features: number[][]; labels: string[] } {
  return {
    features: played.map(({ first, second }) =>
      Array.from(
        { length: playerCount },
        (_, player) => Number(player === first) - Number(player === second),
      ),
    ),
    labels: played.map(({ isWon }) => (isWon ? 'won' : 'lost')),
  };
}

/** Knows these matches, and has inferred nothing yet. */
function raterOf(played: readonly Match[]): BayesPointMachine {
  const rater = new BayesPointMachine({ classes: ['lost', 'won'], priorVariance: 2.25 });
  const { features, labels } = rowsOf(played);
  rater.observe(features, labels);
  return rater;
}

/** The same, and has inferred all that it can by itself. */
function trained(played: readonly Match[]): BayesPointMachine {
  const rater = raterOf(played);
  const { features, labels } = rowsOf(played);
  rater.train(features, labels);
  return rater;
}

const pooled = trained(matches.flat());
const coordinator = new DistributedPosteriorsCoordinator<WeightsBeliefs>({
  prior: pooled.prior,
  schedule: 'parallel',
});
const transport = new InProcessTransport();
await coordinator.listen(transport);
const children: PosteriorChild<WeightsBeliefs>[] = [];
for (const [i, played] of matches.entries())
  children.push(await PosteriorChild.connect({ transport, childId: regions[i]!, model: raterOf(played) }));
await coordinator.converged();
const { round, bytes } = coordinator.lastRound!;
console.log(`${matches.map((played, i) => `${played.length} matches in ${regions[i]}`).join(', ')}.`);
console.log(`Converged after ${round} rounds; the last one took ${(bytes / 1024).toFixed(1)} KiB.\n`);

const weights = (beliefs: WeightsBeliefs): VectorGaussian => beliefs.weights as VectorGaussian;
const [shared, single] = [weights(coordinator.posterior), weights(pooled.posterior())];
const america = weights(trained(matches[2]!).posterior());

const line = (belief: VectorGaussian, player: number): string =>
  `${belief.mean[player]!.toFixed(2).padStart(6)} ± ${Math.sqrt(belief.variance[player]!).toFixed(2)}`;
console.log('player  home      true skill   three regions   all in one place   america alone');
const order = [...skills.keys()].sort((a, b) => shared.mean[b]! - shared.mean[a]!);
for (const player of order)
  console.log(
    `${`p${player}`.padEnd(7)} ${regions[player % 3]!.padEnd(9)} ${skills[player]!.toFixed(2).padStart(10)}   ${line(shared, player)}   ${line(single, player).padStart(16)}   ${line(america, player).padStart(13)}`,
  );

const worst = Math.max(
  ...order.map((player) => Math.abs(shared.mean[player]! - single.mean[player]!)),
  ...order.map((player) =>
    Math.abs(Math.sqrt(shared.variance[player]!) - Math.sqrt(single.variance[player]!)),
  ),
);
console.log(
  `\nRatings and uncertainties differ from those of all matches in one place by ${worst.toExponential(0)} at most.`,
);
const inside = order.filter(
  (player) => Math.abs(shared.mean[player]! - skills[player]!) < 1.645 * Math.sqrt(shared.variance[player]!),
).length;
console.log(`${inside} of ${playerCount} skills are within their 90 % intervals.`);

// Matches that nobody has learned from.
const unseen = Array.from({ length: 3_000 }, (_, i) => play(i % 3));
const told = pooled.predictProbabilities(rowsOf(unseen).features, coordinator.posterior);
const bins: Bin[] = Array.from({ length: 10 }, (_, bin) => {
  const own = unseen.flatMap(({ isWon }, i) =>
    Math.min(9, Math.floor(10 * told[i]![1]!)) === bin ? [{ isWon, p: told[i]![1]! }] : [],
  );
  const count = own.length;
  return {
    count,
    told: own.reduce((sum, { p }) => sum + p, 0) / Math.max(1, count),
    so: own.filter(({ isWon }) => isWon).length / Math.max(1, count),
  };
});
const off = bins.reduce((sum, bin) => sum + (bin.count / unseen.length) * Math.abs(bin.told - bin.so), 0);
const file = fileURLToPath(new URL('./calibration.svg', import.meta.url));
writeFileSync(file, reliabilityDiagram(bins, 'Three thousand matches that nobody has learned from'));
console.log(
  `Predicted chances of 3,000 new matches are off by ${(100 * off).toFixed(1)} points on average: calibration.svg.`,
);

assert(worst < 1e-4, 'the regions do not believe what one machine does');
assert(children.every(({ posterior }) => Math.abs(weights(posterior).mean[0]! - single.mean[0]!) < 1e-4));
assert(off < 0.06, 'predictions are not calibrated');
await coordinator.close();
