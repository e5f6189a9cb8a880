import { toError } from './errors.ts';

/** Who wants to hear from a worker. */
export interface WorkerListener<Answer> {
  onAnswer(answer: Answer): void;
  /** It has failed or ended; nothing that comes after it counts. May come more than once. */
  onEnd(reason: Error): void;
}

/** What of Node's Worker is used. */
export interface NodeWorker<Request, Answer> {
  on(event: 'message', listener: (answer: Answer) => void): void;
  on(event: 'error' | 'messageerror', listener: (error: unknown) => void): void;
  on(event: 'exit', listener: (code: number) => void): void;
  postMessage(request: Request): void;
  ref(): void;
  unref(): void;
  terminate(): Promise<number>;
}

/** Tells the listener of everything that comes from a worker of Node. */
export function hearNodeWorker<Request, Answer>(
  worker: NodeWorker<Request, Answer>,
  { onAnswer, onEnd }: WorkerListener<Answer>,
): void {
  worker.on('message', onAnswer);
  worker.on('error', (error) => onEnd(toError(error)));
  worker.on('messageerror', (error) => onEnd(toError(error)));
  worker.on('exit', (code) => onEnd(new Error(`it exited with code ${code}`)));
}

/** Tells the listener of everything that comes from a worker of a browser. */
export function hearBrowserWorker<Answer>(worker: Worker, { onAnswer, onEnd }: WorkerListener<Answer>): void {
  worker.onmessage = ({ data }: MessageEvent<Answer>) => onAnswer(data);
  worker.onerror = ({ message }) => onEnd(new Error(message || 'its code could not be loaded'));
  worker.onmessageerror = () => onEnd(new Error('a message could not be read'));
}
