/** What is known of many durations, in milliseconds; 0 where there are none. */
export interface DurationSummary {
  readonly count: number;
  readonly mean: number;
  /** To within 4.5 %, as p99. */
  readonly median: number;
  readonly p99: number;
  readonly longest: number;
}

const shortestMs = 0.001;
const bucketsPerDoubling = 16;
/** To 16.8 s; what is longer counts there. */
const bucketCount = 24 * bucketsPerDoubling + 1;

/** Durations without number in little room: a histogram of buckets that grow by 4.4 % each. */
export class Durations {
  readonly #counts = new Float64Array(bucketCount);
  #count = 0;
  #sum = 0;
  #longest = 0;

  add(ms: number): void {
    const bucket = Math.ceil(bucketsPerDoubling * Math.log2(Math.max(ms, shortestMs) / shortestMs));
    const place = Math.min(bucket, bucketCount - 1);
    this.#counts[place] = (this.#counts[place] as number) + 1;
    this.#count++;
    this.#sum += ms;
    this.#longest = Math.max(this.#longest, ms);
  }

  summary(): DurationSummary {
    return {
      count: this.#count,
      mean: this.#count === 0 ? 0 : this.#sum / this.#count,
      median: this.#quantile(0.5),
      p99: this.#quantile(0.99),
      longest: this.#longest,
    };
  }

  /** The end of the bucket that the quantile is in, or the longest. */
  #quantile(share: number): number {
    let left = Math.ceil(share * this.#count);
    for (let bucket = 0; left > 0 && bucket < bucketCount; bucket++) {
      left -= this.#counts[bucket] as number;
      if (left <= 0) return Math.min(shortestMs * 2 ** (bucket / bucketsPerDoubling), this.#longest);
    }
    return this.#longest;
  }
}
