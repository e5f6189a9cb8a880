import {
  BestMainKeeper,
  Child,
  DistributedModelParametersCoordinator,
  InProcessTransport,
  InvalidOptionError,
  LinearRegression,
  ModelParameters,
  ModelParametersMerger,
  NormClipping,
  UpdateLog,
  warmStart,
} from 'mainstem';
import { expect, test } from 'vitest';

const parameters = ModelParameters.fromArrays({ weights: [[1]], bias: [0] });

test.each<[string, () => unknown]>([
  ['NormClipping without options', () => new NormClipping(undefined as never)],
  ['a misspelt action', () => new NormClipping({ maximumNorm: 1, acton: 'refuse' } as never)],
  ['UpdateLog', () => new UpdateLog({ entryMax: 3 } as never)],
  ['BestMainKeeper', () => new BestMainKeeper({ score: () => 1, publishBest: true } as never)],
  ['warmStart', () => warmStart(parameters, parameters, { overlaps: true } as never)],
  [
    'setModelParameters',
    () => new LinearRegression().setModelParameters(parameters, { reset: true } as never),
  ],
  ['InProcessTransport', () => new InProcessTransport({ defr: 1 } as never)],
  ['weights without their mode', () => new ModelParametersMerger({ weights: [1, 9] })],
  ['a merge without its mode', () => new ModelParametersMerger({ mode: 'average', merge: () => [1] })],
  ['an empty list of shared tensors', () => new DistributedModelParametersCoordinator({ sharedTensors: [] })],
  ['a store without methods', () => new DistributedModelParametersCoordinator({ store: {} as never })],
  ['a logger without methods', () => new DistributedModelParametersCoordinator({ logger: {} as never })],
])('%s: what is misspelt, missing or without effect is refused', (_what, make) => {
  expect(make).toThrow(InvalidOptionError);
});

test('a child that adopts by misspelt options adopts nothing', async () => {
  const coordinator = new DistributedModelParametersCoordinator();
  coordinator.setMainModelParameters(parameters);
  const transport = new InProcessTransport();
  await coordinator.listen(transport);
  const model = new LinearRegression();
  const connection = { transport, model, childId: 'a' };
  await expect(Child.connect({ ...connection, federaton: 'x' } as never)).rejects.toThrow(InvalidOptionError);
  const child = await Child.connect(connection);
  const test = { features: [[1]], labels: [1] };
  await expect(child.adopt({ onlyIfBeter: test } as never)).rejects.toThrow(InvalidOptionError);
  await expect(child.adopt({ onlyIfBetter: { ...test, metrics: 'f1' } } as never)).rejects.toThrow(
    InvalidOptionError,
  );
  await expect(child.adopt(null as never)).rejects.toThrow(InvalidOptionError);
  await expect(child.reportFeatureStatistics([[1]] as never)).rejects.toThrow(/expected FeatureStatistics/);
  expect(() => model.getModelParameters()).toThrow();
});
