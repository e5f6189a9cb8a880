import { InvalidOptionError, LayoutMismatchError } from '../errors.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import { show } from '../show.ts';

/** Inputs and outputs of a layout with `weights` [features × outputs]. Throws LayoutMismatchError. */
export function columnsOfRegression(
  layout: ParameterLayout,
  model: string,
): { inputs: number; outputs: number } {
  const [inputs, outputs] = layout.find('weights')?.shape ?? [];
  if (inputs === undefined || outputs === undefined || inputs === 0 || outputs === 0) {
    throw new LayoutMismatchError(
      `parameters of a ${model} have weights [features × outputs] and bias [outputs]`,
    );
  }
  return { inputs, outputs };
}

/** Throws InvalidOptionError where an option that shapes the parameters would change under them. */
export function refuseShapeChange<Options extends object>(
  change: Partial<Options>,
  current: Options,
  shaping: readonly (keyof Options & string)[],
  hasParameters: boolean,
): void {
  if (!hasParameters) return;
  for (const name of shaping) {
    const wanted = change[name];
    if (wanted !== undefined && JSON.stringify(wanted) !== JSON.stringify(current[name])) {
      throw new InvalidOptionError(
        `${name} shapes the parameters and cannot change from ${show(current[name])} to ${show(wanted)} now; make a new model`,
      );
    }
  }
}
