import type { MainstemError } from 'mainstem';
import { Child, NeuralNetwork, StandardScaler, seededRandom } from 'mainstem';
import { WebSocketTransport } from 'mainstem/websocket';
import type { Surroundings } from './surroundings.ts';
import type { Table } from './table.ts';
import { loadTable } from './table.ts';

/** What `mainstem join` is asked for. */
export interface JoinRequest {
  readonly url: string;
  readonly data: string;
  readonly label: string;
  readonly classes: readonly string[] | undefined;
  readonly id: string;
  readonly token: string | undefined;
  /** Units of the hidden layer. */
  readonly units: number;
  readonly rounds: number;
  /** Passes over the rows in each round. */
  readonly epochs: number;
  readonly seed: number;
}

/** Trains on the rows of a file and exchanges parameters with a coordinator, round by round, until the signal aborts. */
export async function join(request: JoinRequest, around: Surroundings): Promise<void> {
  const { data, label, classes, seed } = request;
  const table = await loadTable(data, { label, classes, random: seededRandom(seed) });
  const { rows, columns } = table.training.features;
  around.stdout.write(
    `${data}: ${rows} rows of ${columns} columns to train on, ${table.heldOut.features.rows} held out, ${table.classes === undefined ? 'a quantity' : `${table.classes.length} classes`}\n`,
  );
  for (let round = 1; round <= request.rounds && !around.signal.aborted; )
    round = await session(request, table, round, around);
}

/** Rounds until the end, or until main turns out to stand behind another scaler; returns the next round. */
async function session(
  request: JoinRequest,
  table: Table,
  first: number,
  { stdout, signal }: Surroundings,
): Promise<number> {
  const { url, token, id, rounds, epochs } = request;
  const model = createModel(request, table);
  const transport = new WebSocketTransport(token === undefined ? url : { url, token });
  const child = await Child.connect({ transport, model, childId: id, ...(token !== undefined && { token }) });
  const over: { error?: MainstemError | undefined; isOver: boolean } = { isOver: false };
  child.on('closed', (error) => {
    over.error = error;
    over.isOver = true;
  });
  child.on('disconnected', ({ message }) => stdout.write(`! ${message}; looking for the coordinator\n`));
  child.on('reconnected', () => stdout.write('  connected again\n'));
  const leave = (): void => void child.leave();
  signal.addEventListener('abort', leave, { once: true });
  try {
    for (let round = first; round <= rounds && !signal.aborted; round++) {
      const { features, labels } = table.training;
      const options = { maximumNumberOfIterations: epochs, signal };
      const { costs, receipt } = await child.train(features, [...labels], options);
      // Somebody else was first: what main is behind, this child takes over.
      if (receipt.reason?.code === 'ARCHITECTURE_MISMATCH' && child.version > 0) return round;
      if (receipt.reason !== undefined) throw receipt.reason;
      await receipt.committed;
      const score = model.score(table.heldOut.features, [...table.heldOut.labels]);
      const measure =
        table.classes === undefined ? `R² ${score.toFixed(3)}` : `accuracy ${(100 * score).toFixed(1)} %`;
      stdout.write(
        `round ${round}: cost ${costs.at(-1)?.toFixed(4)}, ${measure} on held-out rows, main ${child.version}\n`,
      );
    }
    return rounds + 1;
  } catch (thrown) {
    if (signal.aborted) return rounds + 1;
    throw over.isOver && over.error !== undefined ? over.error : thrown;
  } finally {
    signal.removeEventListener('abort', leave);
    await child.leave();
  }
}

function createModel({ units, seed }: JoinRequest, { classes, training }: Table): NeuralNetwork {
  const shared = { preprocessing: new StandardScaler(), dtype: 'float32' as const, learningRate: 0.01, seed };
  const { columns } = training.features;
  const hidden = { units, activation: 'relu' as const };
  return classes === undefined
    ? new NeuralNetwork({ ...shared, layers: [columns, hidden, 1] })
    : new NeuralNetwork({
        ...shared,
        layers: [columns, hidden, { units: classes.length, activation: 'softmax' }],
        classes,
      });
}
