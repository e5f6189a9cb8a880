// A child as somebody writes it in an engine that has HTTP and JSON, and nothing of mainstem.

/** Main as it comes. */
export interface JsonTensors {
  readonly weights: number[][];
  readonly bias: number[];
}

/** What has come, by its type. */
export interface JsonMessage {
  readonly type: string;
  readonly version?: number;
  readonly tensors?: JsonTensors;
  readonly status?: string;
  readonly [key: string]: unknown;
}

/** Speaks JSON over bare `fetch`, one request at a time, and counts them. */
export class JsonChild {
  readonly #url: string;
  readonly #childId: string;
  requests = 0;
  readonly received: JsonMessage[] = [];
  main: JsonMessage | undefined;
  #place = '';
  #after = 0;
  #pushes = 0;

  constructor(url: string, childId: string) {
    this.#url = url;
    this.#childId = childId;
  }

  async connect(): Promise<void> {
    const hello = { type: 'hello', childId: this.#childId };
    const { connection } = await this.#ask('POST', '/connect?wait=10', hello);
    this.#place = `/${connection}`;
  }

  /** Sends an update, and waits for the main that it becomes part of: one request. */
  async push(update: object): Promise<void> {
    const place = `${this.#place}/push?n=${++this.#pushes}&after=${this.#after}&wait=20&for=main`;
    await this.#ask('POST', place, { type: 'update', ...update });
  }

  async leave(): Promise<void> {
    await this.#ask('POST', `${this.#place}/push?n=${++this.#pushes}&after=${this.#after}`, {
      type: 'leave',
    });
  }

  async end(): Promise<void> {
    await fetch(this.#url + this.#place, { method: 'DELETE' });
  }

  async #ask(method: string, place: string, body: object): Promise<{ connection: string }> {
    this.requests++;
    const response = await fetch(this.#url + place, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as {
      connection: string;
      after: number;
      messages: readonly JsonMessage[];
    };
    if (!response.ok) throw new Error(JSON.stringify(answer));
    this.#after = answer.after;
    for (const message of answer.messages) {
      this.received.push(message);
      if (message.type === 'main') this.main = message;
    }
    return answer;
  }
}

/** Gradient of the mean squared error of a linear regression with one output, row by row. */
export function gradientOf(
  { weights, bias }: JsonTensors,
  rows: readonly number[][],
  labels: readonly number[],
): JsonTensors {
  const sums = weights.map(() => 0);
  let biasSum = 0;
  rows.forEach((row, i) => {
    const predicted = row.reduce((sum, x, k) => sum + x * (weights[k]?.[0] ?? 0), bias[0] ?? 0);
    const error = (2 * (predicted - (labels[i] as number))) / rows.length;
    row.forEach((x, k) => {
      sums[k] = (sums[k] as number) + error * x;
    });
    biasSum += error;
  });
  return { weights: sums.map((sum) => [sum]), bias: [biasSum] };
}
