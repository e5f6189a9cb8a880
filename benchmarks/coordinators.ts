// The road of an update: admit, fold, commit; and the whole of it, with frames, through Child and InProcessTransport.
import type { GradientModel } from 'mainstem';
import {
  Child,
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  Gradients,
  InProcessTransport,
  ModelParameters,
  NeuralNetwork,
} from 'mainstem';
import type { Contender, Effort, Table } from './harness.ts';
import { compare, format } from './harness.ts';

const network = new NeuralNetwork({
  layers: [64, { units: 32, activation: 'relu' }, { units: 10, activation: 'softmax' }],
});
const start = network.getModelParameters();
const { layout } = start;
const updatesPerRun = 64;

export async function measure(effort: Effort): Promise<Table[]> {
  const contenders = [
    plainLoop(),
    gradientsDirect(),
    parametersDirect('`addModelParameters`, 16 children, each merge all latest', undefined),
    parametersDirect('`addModelParameters`, 16 children, `childUpdatesPerMerge: 16`', 16),
    await throughChildren(1, 'gradients through 1 Child, one at a time', 1),
    await throughChildren(1, 'gradients through 1 Child, 64 at once', updatesPerRun),
    await throughChildren(16, 'gradients through 16 Children, 4 at once each', 4),
  ];
  const measured = await compare(contenders, effort);
  const bytes = start.values.byteLength;
  return [
    {
      title: `The road of an update, ${layout.length.toLocaleString('en-GB')} parameters`,
      note:
        `float32, ${bytes.toLocaleString('en-GB')} bytes an update, memory store, immediate drive. Through a Child: frame, ` +
        'decode, admit, fold, commit, acknowledge; every new main goes to every child, which MB/s does not count.',
      columns: ['', 'updates/s', 'MB/s', 'ratio'],
      rows: measured.map(({ name, ms, ratio }) => {
        const perSecond = (1000 * updatesPerRun) / ms;
        return [name, format(perSecond), format((perSecond * bytes) / 1e6), format(ratio)];
      }),
    },
  ];
}

function someGradients(): Gradients {
  const values = new Float32Array(layout.length).map((_, index) => 1e-6 * ((index % 7) - 3));
  return new Gradients(layout, values, { sampleCount: 32 });
}

/** What the arithmetic alone costs: one step of gradient descent on float64. */
function plainLoop(): Contender {
  const main = Float64Array.from(start.values);
  const { values } = someGradients();
  return {
    name: 'plain loop: main −= 0.1 · gradient',
    run() {
      for (let update = 0; update < updatesPerRun; update++) {
        for (let i = 0; i < main.length; i++) main[i]! -= 0.1 * values[i]!;
      }
      return main[0];
    },
  };
}

function gradientsDirect(): Contender {
  const coordinator = new DistributedGradientsCoordinator();
  coordinator.setModelParameters(start);
  const gradients = someGradients();
  let sequence = 0;
  return {
    name: '`addGradients`',
    run() {
      for (let update = 0; update < updatesPerRun; update++) {
        const { status } = coordinator.addGradients(gradients, { childId: 'child', sequence: ++sequence });
        if (status !== 'applied') throw new Error(status);
      }
    },
  };
}

function parametersDirect(name: string, childUpdatesPerMerge: number | undefined): Contender {
  const coordinator = new DistributedModelParametersCoordinator(
    childUpdatesPerMerge === undefined ? {} : { childUpdatesPerMerge },
  );
  const parameters = new ModelParameters(layout, start.values, { sampleCount: 32 });
  let sequence = 0;
  return {
    name,
    run() {
      for (let update = 0; update < updatesPerRun; update++) {
        const childId = `child ${update % 16}`;
        const { reason } = coordinator.addModelParameters(parameters, { childId, sequence: ++sequence });
        if (reason !== undefined) throw reason;
      }
    },
  };
}

/** Children whose training costs nothing: what is left is the road. */
async function throughChildren(count: number, name: string, atOnce: number): Promise<Contender> {
  const coordinator = new DistributedGradientsCoordinator();
  coordinator.setModelParameters(start);
  const transport = new InProcessTransport();
  await coordinator.listen(transport);
  const gradients = someGradients();
  const model: GradientModel = {
    train: () => [],
    predict: () => [],
    getModelParameters: () => start,
    setModelParameters() {},
    setAreGradientsSaved() {},
    getGradients: () => gradients,
    computeGradients: () => gradients,
  };
  const children: Child[] = [];
  for (let index = 0; index < count; index++) {
    children.push(await Child.connect({ transport, model, childId: `child ${index}` }));
  }
  const sendOne = async (child: Child): Promise<void> => {
    const { committed, reason } = await child.send();
    if (reason !== undefined) throw reason;
    await committed;
  };
  return {
    name,
    async run() {
      for (let sent = 0; sent < updatesPerRun; sent += count * atOnce) {
        const batch = Array.from({ length: atOnce }, () => children.map(sendOne)).flat();
        await Promise.all(batch);
      }
    },
  };
}
