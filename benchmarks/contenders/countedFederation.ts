// Children and a coordinator over a transport that counts what passes.
import type {
  ChildOptions,
  ClientTransport,
  Connection,
  GradientModel,
  Gradients,
  Listener,
  ModelParameters,
  NeuralNetwork,
  Random,
  ServerTransport,
} from 'mainstem';
import { Child, InProcessTransport } from 'mainstem';
import type { Rows } from './federation.ts';

/** A frame that goes on with a message. */
const continues = 4;
const updateKind = 20;
const mainKind = 24;

/** Bytes that have gone one way. */
export interface Traffic {
  /** All frames, heads and heartbeats included. */
  frames: number;
  /** Of updates, or of mains, what they carry. */
  payloads: number;
  messages: number;
}

/** In-process, and counted in both directions. */
export class CountingTransport implements ClientTransport, ServerTransport {
  readonly up: Traffic = { frames: 0, payloads: 0, messages: 0 };
  readonly down: Traffic = { frames: 0, payloads: 0, messages: 0 };
  readonly #inner = new InProcessTransport();

  async connect(): Promise<Connection> {
    return counted(await this.#inner.connect(), this.up, updateKind);
  }

  listen(accept: (connection: Connection) => void): Promise<Listener> {
    return this.#inner.listen((connection) => accept(counted(connection, this.down, mainKind)));
  }
}

function counted(connection: Connection, traffic: Traffic, kind: number): Connection {
  const send = connection.send.bind(connection);
  connection.send = (bytes) => {
    const head = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    // Several frames may be in one piece.
    for (let at = 0; at + 32 <= bytes.length; ) {
      const metadata = Math.ceil((32 + head.getUint32(at + 12, true)) / 8) * 8;
      const payload = head.getUint32(at + 16, true);
      if (head.getUint8(at + 3) === kind) {
        traffic.payloads += payload;
        if ((head.getUint16(at + 4, true) & continues) === 0) traffic.messages++;
      }
      at += metadata + payload;
    }
    traffic.frames += bytes.length;
    send(bytes);
  };
  return connection;
}

/** A network whose gradient is that of a batch of its rows, drawn anew for each update. */
export class BatchModel implements GradientModel {
  readonly network: NeuralNetwork;
  readonly #rows: Rows;
  readonly #batchSize: number;
  readonly #random: Random;

  constructor(network: NeuralNetwork, rows: Rows, batchSize: number, random: Random) {
    this.network = network;
    this.#rows = rows;
    this.#batchSize = batchSize;
    this.#random = random;
  }

  train = (): number[] => [];
  predict = (): number[] => [];
  setAreGradientsSaved(): void {}
  getModelParameters = (): ModelParameters => this.network.getModelParameters();
  setModelParameters(main: ModelParameters): void {
    this.network.setModelParameters(main);
  }
  computeGradients = (): Gradients => this.getGradients();

  getGradients(): Gradients {
    const { features, labels } = this.#rows;
    const places = Array.from({ length: this.#batchSize }, () =>
      Math.floor(this.#random.next() * labels.length),
    );
    return this.network.computeGradients(
      places.map((place) => features[place]!),
      places.map((place) => labels[place]!),
    );
  }
}

/** Connects a child. */
export function join(
  transport: ClientTransport,
  childId: string,
  model: ChildOptions['model'],
  options: Partial<ChildOptions>,
): Promise<Child> {
  return Child.connect({ transport, model, childId, ...options });
}
