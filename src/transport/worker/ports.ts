/** One end of a MessageChannel, as all platforms have it. */
export interface Port {
  postMessage(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  addEventListener(
    type: string,
    listener: (event: { readonly data?: unknown }) => void,
    options?: { readonly once: boolean },
  ): void;
  start(): void;
  close(): void;
}

/** What a worker's parent hears messages on, in the style of the web: a Worker of a browser, a MessagePort. */
export interface WebMessageSource {
  addEventListener(type: 'message' | 'close', listener: (event: { readonly data?: unknown }) => void): void;
  removeEventListener(
    type: 'message' | 'close',
    listener: (event: { readonly data?: unknown }) => void,
  ): void;
}

/** The same in the style of Node: a Worker of `node:worker_threads`. */
export interface NodeMessageSource {
  on(type: 'message' | 'exit', listener: (value: unknown) => void): unknown;
  off(type: 'message' | 'exit', listener: (value: unknown) => void): unknown;
}

/** A worker, of Node or of a browser, or a MessagePort that somebody listens on at the other end. */
export type WorkerLike = WebMessageSource | NodeMessageSource;

/** Where a worker sends its requests to connect: Node's `parentPort`, a browser's worker scope, or a MessagePort. */
export interface ParentLike {
  postMessage(message: unknown, transfer: readonly never[]): void;
}

/** Asks for a connection; the answer comes on the port. Everything else that a worker posts is the user's own. */
export interface ConnectRequest {
  readonly mainstem: 'connect';
  /** Of what travels on the port. */
  readonly version: number;
  readonly port: Port;
}

/** The way of speaking on a port that this file describes. */
export const portVersion = 1;

/**
 * What travels on a port besides frames. A buffer holds one or more whole frames; a number acknowledges bytes of them;
 * `accepted`, or why not, is the first message of the parent; `closed` is the last of either side.
 */
export type PortNotice = 'accepted' | 'closed' | { readonly refused: string };

/** Two ports that are each other's ends. */
export function portPair(): [Port, Port] {
  const { port1, port2 } = new MessageChannel();
  return [port1 as unknown as Port, port2 as unknown as Port];
}

/** Sends a request, and with it the port that the parent shall have. */
export function postConnectRequest(parent: ParentLike, port: Port): void {
  const request: ConnectRequest = { mainstem: 'connect', version: portVersion, port };
  parent.postMessage(request, [port as never]);
}

/** A request to connect, or undefined for any other message. */
export function toConnectRequest(message: unknown): ConnectRequest | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const { mainstem, port } = message as Partial<ConnectRequest>;
  if (mainstem !== 'connect' || typeof port !== 'object' || port === null) return undefined;
  return typeof port.postMessage === 'function' ? (message as ConnectRequest) : undefined;
}

/** Listens to a worker's messages, and for its end where the platform tells; the function returned stops that. */
export function listenTo(
  worker: WorkerLike,
  hear: (message: unknown) => void,
  ended: () => void,
): () => void {
  if ('addEventListener' in worker) {
    const listener = (event: { readonly data?: unknown }): void => hear(event.data);
    worker.addEventListener('message', listener);
    worker.addEventListener('close', ended);
    // Only ports have to be started.
    (worker as { start?: () => void }).start?.();
    return () => {
      worker.removeEventListener('message', listener);
      worker.removeEventListener('close', ended);
    };
  }
  worker.on('message', hear);
  worker.on('exit', ended);
  return () => {
    worker.off('message', hear);
    worker.off('exit', ended);
  };
}
