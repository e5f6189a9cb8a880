import type { Features } from '../models/features.ts';
import type { Labels } from '../models/labels.ts';
import type { Awaitable, GradientModel, Model } from '../models/Model.ts';
import { isCloneable, isGradientModel, isScorable } from '../models/Model.ts';
import { ModelParameters } from '../parameters/ModelParameters.ts';
import type { ContractCase } from './contract.ts';
import { ensure, ensureFails, ensureSame } from './contract.ts';

/** What the contract of a model is tried with. */
export interface ModelContractOptions {
  /** A new, untrained model each time, always with the same options and seed. */
  create(): Awaitable<Model>;
  /** At least four rows. */
  readonly features: readonly (readonly number[])[];
  /** One for each row. */
  readonly labels: readonly (number | string)[] | readonly (readonly number[])[];
  /** How far gradients of halves may be from that of the whole, relatively; 1e-4 unless given. */
  readonly tolerance?: number;
}

/** The promises of a Model, and of the capabilities that it has. */
export function modelContract(options: ModelContractOptions): ContractCase[] {
  return [
    ...trainingCases(options),
    ...parameterCases(options),
    ...gradientCases(options),
    ...otherCases(options),
  ];
}

async function trained({ create, features, labels }: ModelContractOptions): Promise<Model> {
  const model = await create();
  await model.train(features, labels as Labels);
  return model;
}

async function valuesOf(model: Model): Promise<number[]> {
  return Array.from((await model.getModelParameters()).values);
}

function trainingCases(options: ModelContractOptions): ContractCase[] {
  const { create, features, labels } = options;
  return [
    {
      name: 'train returns finite costs',
      async run() {
        const costs = await (await create()).train(features, labels as Labels);
        ensure(Array.isArray(costs) && costs.length > 0, 'train must return a list of costs');
        ensure(costs.every(Number.isFinite), `costs must be finite, got ${costs.slice(0, 4)}`);
      },
    },
    {
      name: 'train does not change what it is given',
      async run() {
        const before = JSON.stringify([features, labels]);
        await trained(options);
        ensure(JSON.stringify([features, labels]) === before, 'train changed its features or labels');
      },
    },
    {
      name: 'the same training gives the same bits',
      async run() {
        ensureSame(
          await valuesOf(await trained(options)),
          await valuesOf(await trained(options)),
          'second training',
        );
      },
    },
    {
      name: 'predict gives an entry for each row',
      async run() {
        const predictions = await (await trained(options)).predict(features);
        ensure(
          predictions.length === features.length,
          `got ${predictions.length} predictions for ${features.length} rows`,
        );
      },
    },
    {
      name: 'empty and ragged features are refused, and change nothing',
      async run() {
        const model = await trained(options);
        const before = await valuesOf(model);
        const ragged = [...features.slice(0, -1), [...(features[0] ?? []), 0]];
        await ensureFails(() => model.train([], []), 'empty features were taken');
        await ensureFails(
          () => model.train(ragged as Features, labels as Labels),
          'ragged features were taken',
        );
        await ensureFails(
          () => model.train(features, labels.slice(1) as Labels),
          'fewer labels than rows were taken',
        );
        ensureSame(await valuesOf(model), before, 'parameters after a refusal');
      },
    },
  ];
}

function parameterCases(options: ModelContractOptions): ContractCase[] {
  const { create, features } = options;
  return [
    {
      name: 'getModelParameters gives a copy',
      async run() {
        const model = await trained(options);
        const before = await valuesOf(model);
        (await model.getModelParameters()).values.fill(123);
        ensureSame(await valuesOf(model), before, 'parameters after writing into the copy');
      },
    },
    {
      name: 'setModelParameters takes a copy',
      async run() {
        const model = await trained(options);
        const given = await model.getModelParameters();
        const before = Array.from(given.values);
        await model.setModelParameters(given);
        given.values.fill(123);
        ensureSame(await valuesOf(model), before, 'parameters after writing into what was given');
      },
    },
    {
      name: 'a model with the parameters of another predicts like it',
      async run() {
        const model = await trained(options);
        const twin = await create();
        await twin.train(features, options.labels as Labels, { maximumNumberOfIterations: 1 });
        await twin.setModelParameters(await model.getModelParameters());
        const [got, expected] = [await twin.predict(features), await model.predict(features)];
        ensure(JSON.stringify(got) === JSON.stringify(expected), 'the twin predicts something else');
      },
    },
    {
      name: 'parameters of another layout are refused, and change nothing',
      async run() {
        const model = await trained(options);
        const before = await valuesOf(model);
        const alien = ModelParameters.fromArrays({ alien: [1, 2, 3] });
        await ensureFails(() => model.setModelParameters(alien), 'parameters of another layout were taken');
        ensureSame(await valuesOf(model), before, 'parameters after a refusal');
      },
    },
    {
      name: 'parameters that are not finite are refused, and change nothing',
      async run() {
        const model = await trained(options);
        const before = await valuesOf(model);
        for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
          const parameters = (await model.getModelParameters()).clone();
          parameters.values[parameters.values.length - 1] = bad;
          await ensureFails(() => model.setModelParameters(parameters), `${bad} was taken`);
        }
        ensureSame(await valuesOf(model), before, 'parameters after a refusal');
      },
    },
  ];
}

function gradientCases(options: ModelContractOptions): ContractCase[] {
  const { features, labels, tolerance = 1e-4 } = options;
  const gradientModel = async (): Promise<GradientModel | undefined> => {
    const model = await trained(options);
    return isGradientModel(model) ? model : undefined;
  };
  return [
    {
      name: 'gradients fit the parameters and name their rows (where there are gradients)',
      async run() {
        const model = await gradientModel();
        if (model === undefined) return;
        model.setAreGradientsSaved(true);
        await model.train(features, labels as Labels, { maximumNumberOfIterations: 1 });
        const gradients = await model.getGradients();
        (await model.getModelParameters()).layout.assertFits(gradients.layout, 'gradients', 'the model');
        ensure(
          gradients.sampleCount === features.length,
          `sampleCount is ${gradients.sampleCount}, there are ${features.length} rows`,
        );
        gradients.assertFinite('gradients');
      },
    },
    {
      name: 'computeGradients changes nothing, and halves add up to the whole (where there are gradients)',
      async run() {
        const model = await gradientModel();
        if (model === undefined) return;
        const before = await valuesOf(model);
        const whole = await model.computeGradients(features, labels as Labels);
        const cut = Math.floor(features.length / 3);
        const head = await model.computeGradients(features.slice(0, cut), labels.slice(0, cut) as Labels);
        const tail = await model.computeGradients(features.slice(cut), labels.slice(cut) as Labels);
        ensureSame(await valuesOf(model), before, 'parameters after computeGradients');
        const scale = Math.max(...Array.from(whole.values, Math.abs), 1e-12);
        whole.values.forEach((expected, i) => {
          const mean =
            (cut * (head.values[i] as number) + (features.length - cut) * (tail.values[i] as number)) /
            features.length;
          ensure(
            Math.abs(mean - expected) <= tolerance * scale,
            `gradient ${i} of the halves is ${mean}, of the whole ${expected}`,
          );
        });
      },
    },
  ];
}

function otherCases(options: ModelContractOptions): ContractCase[] {
  const { features, labels } = options;
  return [
    {
      name: 'score is a finite number and changes nothing (where there is a score)',
      async run() {
        const model = await trained(options);
        if (!isScorable(model)) return;
        const before = await valuesOf(model);
        const score = await model.score(features, labels as Labels);
        ensure(Number.isFinite(score), `the score is ${score}`);
        ensureSame(await valuesOf(model), before, 'parameters after score');
      },
    },
    {
      name: 'a clone is equal and independent (where there is a clone)',
      async run() {
        const model = await trained(options);
        if (!isCloneable(model)) return;
        const before = await valuesOf(model);
        const twin = model.clone();
        ensureSame(await valuesOf(twin), before, 'parameters of the clone');
        const changed = (await twin.getModelParameters()).scale(2);
        await twin.setModelParameters(changed);
        ensureSame(await valuesOf(model), before, 'parameters after the clone was changed');
      },
    },
  ];
}
