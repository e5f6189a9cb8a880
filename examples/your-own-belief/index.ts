// A model of your own that exchanges beliefs: latencies of three regions, of which neither mean nor spread is known.
// It takes three things: a prior over what is shared, an inference with what others say, and the message that comes of it.
import assert from 'node:assert/strict';
import type { Random } from 'mainstem';
import { InProcessTransport, seededRandom } from 'mainstem';
import type { BayesianModel } from 'mainstem/bayesian';
import {
  DistributedPosteriorsCoordinator,
  exchangeMessages,
  Gamma,
  Gaussian,
  PosteriorChild,
} from 'mainstem/bayesian';

/** What all regions share. */
type Latency = { readonly mean: Gaussian; readonly precision: Gamma };

/** Normal numbers of unknown mean and precision, which are taken to be independent (variational message passing). */
class LatencyModel implements BayesianModel<Latency> {
  // 1. What is believed beforehand: about 50 ± 30 ms, and a spread of about 10.
  readonly prior: Latency = { mean: Gaussian.of(50, 900), precision: Gamma.of(1, 100) };
  readonly #values: readonly number[];
  #message: Latency = { mean: Gaussian.uniform(), precision: Gamma.uniform() };

  constructor(values: readonly number[]) {
    this.#values = values;
  }

  // 3. What the numbers here say, given what the others say.
  computeMessage(inbox: Latency): Latency {
    this.#message = this.#infer(this.#message, inbox);
    return this.#message;
  }

  // 2. The inference: each variable hears what is believed of the other one now.
  #infer(before: Latency, inbox: Latency): Latency {
    const values = this.#values;
    const sum = values.reduce((total, value) => total + value, 0);
    const precision = this.prior.precision.multiply(inbox.precision).multiply(before.precision).mean;
    const saidOfMean = Gaussian.natural(precision * sum, precision * values.length);
    const { mean, variance } = this.prior.mean.multiply(inbox.mean).multiply(saidOfMean);
    const squares = values.reduce((total, value) => total + (value - mean) ** 2 + variance, 0);
    return { mean: saidOfMean, precision: Gamma.natural(values.length / 2, squares / 2) };
  }
}

/** Sum of twelve uniform numbers: nearly normal, of mean 0 and variance 1. */
function noise(random: Random): number {
  return Array.from({ length: 12 }, () => random.next()).reduce((sum, value) => sum + value, -6);
}

const random = seededRandom(3);
const regions = Object.fromEntries(
  [
    ['europe', 12],
    ['asia', 40],
    ['america', 200],
  ].map(([name, count]) => [
    name as string,
    Array.from({ length: count as number }, () => 62 + 15 * noise(random)),
  ]),
);

// All numbers in one place, for comparison only.
const pooled = exchangeMessages({ all: new LatencyModel(Object.values(regions).flat()) }).posterior;

const coordinator = new DistributedPosteriorsCoordinator<Latency>({ prior: new LatencyModel([]).prior });
const transport = new InProcessTransport();
await coordinator.listen(transport);
const children: PosteriorChild<Latency>[] = [];
for (const [childId, values] of Object.entries(regions))
  children.push(await PosteriorChild.connect({ transport, childId, model: new LatencyModel(values) }));
await coordinator.converged();

const show = ({ mean, precision }: Latency): string =>
  `${mean.mean.toFixed(3)} ± ${Math.sqrt(mean.variance).toFixed(3)} ms, spread ${(1 / Math.sqrt(precision.mean)).toFixed(3)} ms`;
console.log(`all numbers in one place   ${show(pooled)}`);
console.log(`exchanged, no number moved ${show(coordinator.posterior)}`);
for (const child of children)
  console.log(`  as ${child.childId.padEnd(8)} believes      ${show(child.posterior)}`);

assert(children.every(({ posterior }) => Math.abs(posterior.mean.mean - pooled.mean.mean) < 1e-4));

// The region with most numbers is to be forgotten.
coordinator.unlearnChild('america');
await coordinator.converged();
console.log(`without america            ${show(coordinator.posterior)}`);

const two = exchangeMessages({ all: new LatencyModel([...regions.europe!, ...regions.asia!]) }).posterior;
assert(Math.abs(coordinator.posterior.mean.mean - two.mean.mean) < 1e-4);
await coordinator.close();
