import type { Logger, Plugin } from 'mainstem';
import {
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  Gradients,
  InvalidOptionError,
  ModelParametersMerger,
  NonFiniteError,
  PluginError,
  UpdateRefusedError,
} from 'mainstem';
import { describe, expect, test } from 'vitest';
import { gradientsOf, numbersOf, parametersOf } from './helpers.ts';

function make(): DistributedGradientsCoordinator {
  const coordinator = new DistributedGradientsCoordinator({ learningRate: 1 });
  coordinator.setModelParameters(parametersOf(0, 0));
  return coordinator;
}

describe('plugins', () => {
  test('hooks are called in order, each sees what the one before has made', () => {
    const calls: string[] = [];
    const doubling = (name: string): Plugin => ({
      name,
      setup: ({ version }) => void calls.push(`${name} setup at ${version}`),
      onUpdate(update) {
        calls.push(`${name} onUpdate ${update.childId} ${update.content.values[0]}`);
        const { layout, values } = update.content;
        return {
          ...update,
          content: new Gradients(layout, values.map((value) => 2 * value) as Float64Array<ArrayBuffer>, {
            sampleCount: 1,
          }),
        };
      },
      beforeMerge: ({ version, children }) => void calls.push(`${name} beforeMerge ${version} ${children}`),
      afterMerge: ({ main }) => void calls.push(`${name} afterMerge ${main.values[0]}`),
      dispose: () => void calls.push(`${name} dispose`),
    });
    const coordinator = make().use(doubling('one')).use(doubling('two'));
    coordinator.addGradients(gradientsOf([1, 0]), { childId: 'a' });
    expect(numbersOf(coordinator.getModelParameters())).toEqual([-4, 0]);
    expect(coordinator.removePlugin('one')).toBe(true);
    expect(coordinator.removePlugin('one')).toBe(false);
    expect(calls).toEqual([
      'one setup at 1',
      'two setup at 1',
      'one onUpdate a 1',
      'two onUpdate a 2',
      'one beforeMerge 2 1',
      'two beforeMerge 2 1',
      'one afterMerge -4',
      'two afterMerge -4',
      'one dispose',
    ]);
    coordinator.addGradients(gradientsOf([1, 0]), { childId: 'a' });
    expect(numbersOf(coordinator.getModelParameters())).toEqual([-6, 0]);
  });

  test('an update may be refused, for a reason that its sender gets', () => {
    const coordinator = make().use({
      name: 'norm limit',
      onUpdate({ content }) {
        if (content.norm() > 10) throw new UpdateRefusedError(`norm ${content.norm()} is above 10`);
      },
    });
    const receipt = coordinator.addGradients(gradientsOf([30, 40]));
    expect(receipt.reason).toBeInstanceOf(UpdateRefusedError);
    expect(receipt.reason?.message).toBe('norm 50 is above 10');
    expect(numbersOf(coordinator.getModelParameters())).toEqual([0, 0]);
    expect(coordinator.addGradients(gradientsOf([3, 4])).status).toBe('applied');
  });

  test.each([
    'onUpdate',
    'beforeMerge',
    'afterMerge',
  ] as const)('a plugin whose %s fails is named, and only this update suffers', (hook) => {
    let isFailing = true;
    const coordinator = make().use({
      name: 'clumsy',
      [hook]: () => {
        if (isFailing) throw new TypeError('oops');
      },
    });
    const { reason } = coordinator.addGradients(gradientsOf([1, 0]));
    expect(reason).toBeInstanceOf(PluginError);
    expect(reason?.message).toBe(`${hook} of plugin clumsy failed: oops`);
    expect(reason?.cause).toBeInstanceOf(TypeError);
    expect(numbersOf(coordinator.getModelParameters())).toEqual([0, 0]);
    isFailing = false;
    expect(coordinator.addGradients(gradientsOf([1, 0])).status).toBe('applied');
    expect(numbersOf(coordinator.getModelParameters())).toEqual([-1, 0]);
  });

  test('what a plugin makes is checked like what a child sends', () => {
    const coordinator = make().use({
      name: 'poison',
      onUpdate: (update) => ({ ...update, content: gradientsOf([Number.NaN, 0]) }),
    });
    expect(coordinator.addGradients(gradientsOf([1, 0])).reason).toBeInstanceOf(NonFiniteError);
    expect(numbersOf(coordinator.getModelParameters())).toEqual([0, 0]);
  });

  test('afterMerge may replace main, but not by another layout or NaN', () => {
    let replacement = parametersOf(7, 8);
    const coordinator = new DistributedModelParametersCoordinator({
      merger: new ModelParametersMerger({ mode: 'average' }),
    });
    coordinator.use({ name: 'replace', afterMerge: () => replacement });
    coordinator.addModelParameters(parametersOf(1, 1), { childId: 'a' });
    expect(numbersOf(coordinator.getMainModelParameters())).toEqual([7, 8]);
    replacement = parametersOf(1, 2, 3);
    expect(coordinator.addModelParameters(parametersOf(1, 1), { childId: 'a' }).status).toBe('refused');
    replacement = parametersOf(1, Number.NaN);
    expect(coordinator.addModelParameters(parametersOf(1, 1), { childId: 'a' }).status).toBe('refused');
    expect(numbersOf(coordinator.getMainModelParameters())).toEqual([7, 8]);
  });

  test('a hook that is asynchronous or misspelt is refused with a reason', () => {
    const coordinator = make().use({
      name: 'slow',
      onUpdate: (async () => {}) as unknown as NonNullable<Plugin['onUpdate']>,
    });
    expect(coordinator.addGradients(gradientsOf([1, 0])).reason?.message).toMatch(
      /returned a promise; hooks are synchronous/,
    );
    expect(() => coordinator.use({ name: 'typo', onupdate() {} } as unknown as Plugin)).toThrow(
      /the hook is named onUpdate/,
    );
  });

  test('a plugin needs a name of its own, and close disposes of all', async () => {
    let disposals = 0;
    const coordinator = make().use({ name: 'one', dispose: () => void disposals++ });
    expect(() => coordinator.use({ name: 'one' })).toThrow(InvalidOptionError);
    expect(() => coordinator.use({} as Plugin)).toThrow(/needs a name/);
    await coordinator.close();
    expect(disposals).toBe(1);
  });
});

describe('events', () => {
  test('come when the state is final, in the order of the road', () => {
    const coordinator = make();
    const seen: string[] = [];
    coordinator.on('childJoined', ({ childId }) => seen.push(`joined ${childId}`));
    coordinator.on('updateReceived', ({ childId, sequence }) => seen.push(`received ${childId} ${sequence}`));
    coordinator.on('mainUpdated', ({ version, children }) =>
      seen.push(
        `main ${version} ${coordinator.version} ${children} ${coordinator.getModelParameters().values[0]}`,
      ),
    );
    coordinator.on('updateRejected', ({ childId, sequence, reason }) =>
      seen.push(`rejected ${childId} ${sequence} ${reason.code}`),
    );
    coordinator.on('childLeft', ({ childId }) => seen.push(`left ${childId}`));
    coordinator.addGradients(gradientsOf([1, 0]), { childId: 'a', sequence: 1 });
    coordinator.addGradients(gradientsOf([1, 0]), { childId: 'a', sequence: 1 });
    coordinator.removeChild('a');
    coordinator.setModelParameters(parametersOf(3, 3));
    expect(seen).toEqual([
      'joined a',
      'received a 1',
      'main 2 2 a -1',
      'rejected a 1 DUPLICATE_UPDATE',
      'left a',
      'main 3 3  3',
    ]);
  });

  test('a failing listener stops neither the fold nor the others, and is reported', () => {
    const coordinator = make();
    const errors: Error[] = [];
    let isOtherCalled = false;
    coordinator.on('mainUpdated', () => {
      throw new Error('listener');
    });
    coordinator.on('mainUpdated', () => {
      isOtherCalled = true;
    });
    coordinator.on('error', (error) => errors.push(error));
    expect(coordinator.addGradients(gradientsOf([1, 0])).status).toBe('applied');
    expect(isOtherCalled).toBe(true);
    expect(errors.map(({ message }) => message)).toEqual(['listener']);
  });

  test('an error that nobody listens to goes to the logger; a failing error listener too', () => {
    const lines: string[] = [];
    const write = (message: string): void => void lines.push(message);
    const logger: Logger = { debug: write, info: write, warn: write, error: write };
    const coordinator = new DistributedGradientsCoordinator({ logger });
    const stop = coordinator.on('mainUpdated', () => {
      throw new Error('listener');
    });
    coordinator.setModelParameters(parametersOf(1, 1));
    coordinator.on('error', () => {
      throw new Error('error listener');
    });
    coordinator.setModelParameters(parametersOf(1, 1));
    expect(lines).toEqual(['listener', 'a listener of error failed']);
    stop();
    coordinator.setModelParameters(parametersOf(1, 1));
    expect(lines).toHaveLength(2);
  });

  test('an update added from a listener is folded after the one at hand', () => {
    const coordinator = make();
    const versions: number[] = [];
    coordinator.on('mainUpdated', ({ version }) => {
      versions.push(version);
      if (version === 2) {
        const receipt = coordinator.addGradients(gradientsOf([0, 1]));
        expect(receipt.status).toBe('accepted');
        expect(coordinator.version).toBe(2);
      }
    });
    coordinator.addGradients(gradientsOf([1, 0]));
    expect(versions).toEqual([2, 3]);
    expect(numbersOf(coordinator.getModelParameters())).toEqual([-1, -1]);
  });
});
