import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Agent, createServer, request as sendRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Random } from 'mainstem';
import type { FaultyRoad } from './faultProxy.ts';

/** How likely each thing is to befall a request. */
export interface HttpFaults {
  /** It does not arrive. */
  readonly dropRequest?: number;
  /** It arrives, its answer does not. */
  readonly dropAnswer?: number;
  /** It arrives twice at once, and one of the two answers does. */
  readonly duplicate?: number;
  /** Its answer ends somewhere in the middle. */
  readonly cut?: number;
}

/** An answer of the coordinator's. */
interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Carries HTTP requests between children and a coordinator, not each once, and not each with its answer. */
export class HttpFaultProxy implements FaultyRoad {
  readonly counts: Record<string, number> = {};
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #targetPort: number;
  readonly #random: Random;
  #faults: HttpFaults;

  /** Listens on a free port, for a coordinator on another. */
  static async open(targetPort: number, faults: HttpFaults, random: Random): Promise<HttpFaultProxy> {
    const proxy = new HttpFaultProxy(targetPort, faults, random);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  private constructor(targetPort: number, faults: HttpFaults, random: Random) {
    this.#targetPort = targetPort;
    this.#faults = faults;
    this.#random = random;
    this.#server = createServer((request, response) => {
      response.on('error', () => {});
      this.#carry(request, response).catch(() => response.destroy());
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  calm(): void {
    this.#faults = {};
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #carry(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    if (this.#happens('dropRequest')) {
      response.destroy();
      return;
    }
    const answers = [this.#forward(request, body, response)];
    if (this.#happens('duplicate')) answers.push(this.#forward(request, body, response));
    const isLast = this.#random.next() < 0.5;
    const all = await Promise.all(answers);
    const answer = all[isLast ? all.length - 1 : 0] as Answer;
    if (this.#happens('dropAnswer')) response.destroy();
    else this.#answer(response, answer);
  }

  #answer(response: ServerResponse, { status, headers, body }: Answer): void {
    response.writeHead(status, headers);
    if (body.length < 2 || !this.#happens('cut')) {
      response.end(body);
      return;
    }
    const some = 1 + Math.floor((body.length - 1) * this.#random.next());
    response.write(body.subarray(0, some), () => response.destroy());
  }

  #forward(
    { method, url, headers }: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: this.#targetPort, agent: this.#agent, method, path: url };
      const length = { 'content-length': String(body.length) };
      const { 'transfer-encoding': _, ...others } = headers;
      const forwarded = sendRequest({ ...options, headers: { ...others, ...length } }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 500,
            headers: answer.headers,
            body: Buffer.concat(chunks),
          }),
        );
        answer.on('error', reject);
      });
      forwarded.on('error', reject);
      // A child that waits no longer takes its request with it.
      response.once('close', () => forwarded.destroy());
      forwarded.end(body);
    });
  }

  #happens(fault: keyof HttpFaults): boolean {
    if (this.#random.next() >= (this.#faults[fault] ?? 0)) return false;
    this.counts[fault] = (this.counts[fault] ?? 0) + 1;
    return true;
  }
}
