import type { ClientTransport, MainstemError } from 'mainstem';
import { Child, isMainstemError } from 'mainstem';
import { createModel, toFeatures } from './model.ts';

/** What the server gives to a tab that asks for work. */
export interface Assignment {
  readonly childId: string;
  /** Which part of the digits, from 0, of how many. */
  readonly shard: number;
  readonly shards: number;
  /** Time from one gradient to the next, in milliseconds: slow enough to watch. */
  readonly everyMs: number;
  readonly pixels: number[][];
  readonly labels: number[];
}

/** connecting: for the first time; away: again; refused: not any more. */
export type TabState = 'connecting' | 'connected' | 'away' | 'refused';

/** Who wants to know how a tab is doing. */
export interface TabListener {
  /** `reason` says why it is away or refused. */
  state(state: TabState, reason?: string): void;
  /** A newer main is there. */
  main(version: number): void;
  /** Gradients that the coordinator has taken so far. */
  sent(count: number): void;
}

const rowsPerBatch = 48;
/** Places in each batch for digits that were drawn here, so that a few of them count beside hundreds of others. */
const drawnRowsPerBatch = 16;

/** A child that trains on its shard, and on what is drawn in its tab. It runs in a worker of a page, and in Node. */
export class Tab {
  readonly #assignment: Assignment;
  readonly #listener: TabListener;
  readonly #features: number[][];
  readonly #drawn: { features: number[]; label: number }[] = [];
  readonly #model = createModel();
  /** Guesses, while the other trains. */
  readonly #viewer = createModel();
  #child: Child | undefined;
  #sent = 0;

  constructor(assignment: Assignment, listener: TabListener) {
    this.#assignment = assignment;
    this.#listener = listener;
    this.#features = assignment.pixels.map(toFeatures);
  }

  /** Digits that this tab trains on. */
  get digits(): number {
    return this.#features.length + this.#drawn.length;
  }

  /** Adds a digit to those that this tab trains on. */
  add(pixels: readonly number[], label: number): void {
    this.#drawn.push({ features: toFeatures(pixels), label });
  }

  /** How likely main holds each digit from 0 to 9 to be; undefined before there is a main. */
  guess(pixels: readonly number[]): number[] | undefined {
    const main = this.#child?.main;
    if (main === undefined) return undefined;
    this.#viewer.setModelParameters(main);
    return this.#viewer.predictProbabilities([toFeatures(pixels)])[0];
  }

  /** Joins the coordinator and trains until it is over; resolves then. */
  async run(transport: ClientTransport): Promise<void> {
    this.#listener.state('connecting');
    try {
      const { childId } = this.#assignment;
      const reconnect = { initialMs: 250, maxMs: 4_000 };
      this.#child = await Child.connect({ transport, model: this.#model, childId, reconnect });
    } catch (thrown) {
      this.#listener.state('refused', isMainstemError(thrown) ? thrown.message : String(thrown));
      return;
    }
    await this.#train(this.#child);
  }

  /** Says goodbye to the coordinator. */
  async leave(): Promise<void> {
    await this.#child?.leave();
  }

  async #train(child: Child): Promise<void> {
    let isOver = false;
    child.on('mainUpdated', ({ version }) => this.#listener.main(version));
    child.on('disconnected', ({ message }) => this.#listener.state('away', message));
    child.on('reconnected', () => this.#listener.state('connected'));
    child.on('closed', (error: MainstemError | undefined) => {
      isOver = true;
      this.#listener.state('refused', error?.message ?? 'this tab has left');
    });
    this.#listener.state('connected');
    this.#listener.main(child.version);
    while (!isOver) {
      const pause = wait(this.#assignment.everyMs);
      await this.#step(child);
      await pause;
    }
  }

  /** One gradient: of main as it is now, over one batch. It is back when the coordinator has answered. */
  async #step(child: Child): Promise<void> {
    const { features, labels } = this.#batch();
    try {
      const { receipt } = await child.train(features, labels);
      if (receipt.status !== 'applied') return;
      this.#sent++;
      this.#listener.sent(this.#sent);
    } catch (thrown) {
      // The connection broke, or the coordinator began anew: what was on its way has no answer, the next will have one.
      if (!isMainstemError(thrown)) throw thrown;
    }
  }

  #batch(): { features: number[][]; labels: number[] } {
    const { labels } = this.#assignment;
    const batch: { features: number[][]; labels: number[] } = { features: [], labels: [] };
    for (let n = 0; n < rowsPerBatch; n++) {
      const row = Math.floor(Math.random() * this.#features.length);
      batch.features.push(this.#features[row]!);
      batch.labels.push(labels[row]!);
    }
    for (let n = 0; n < Math.min(drawnRowsPerBatch, this.#drawn.length); n++) {
      const { features, label } = this.#drawn[Math.floor(Math.random() * this.#drawn.length)]!;
      batch.features.push(features);
      batch.labels.push(label);
    }
    return batch;
  }
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
