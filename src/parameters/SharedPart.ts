import { InvalidOptionError, LayoutMismatchError, toError } from '../errors.ts';
import { Gradients } from './Gradients.ts';
import { ModelParameters } from './ModelParameters.ts';
import type { TensorSlot } from './ParameterLayout.ts';
import { ParameterLayout } from './ParameterLayout.ts';
import { checkTensorPatterns, matchTensors } from './tensorPatterns.ts';

/** The shared tensors of one layout: where they lie in the whole, and the layout that they have by themselves. */
interface Cut {
  readonly slots: readonly TensorSlot[];
  readonly layout: ParameterLayout;
}

/**
 * Federates parameters in part: the tensors that `patterns` name are shared, the rest stay with each child. A part
 * keeps the architecture of the whole and adds `shared`, the names of its tensors, so that parts of different
 * networks do not meet.
 */
export class SharedPart {
  readonly patterns: readonly string[];
  /** Layouts come again and again; cutting one costs a walk over its tensors. */
  readonly #cuts = new WeakMap<ParameterLayout, Cut>();

  /** Names of tensors, or beginnings of names followed by `*`. Throws InvalidOptionError. */
  constructor(patterns: readonly string[]) {
    this.patterns = Object.freeze([...checkTensorPatterns(patterns, 'sharedTensors')]);
    if (this.patterns.length === 0) {
      throw new InvalidOptionError('sharedTensors is an empty list, expected at least one tensor');
    }
  }

  /** The layout of the shared tensors alone; a part's own is itself. Throws LayoutMismatchError where one is missing. */
  layoutOf(whole: ParameterLayout): ParameterLayout {
    return this.#cut(whole).layout;
  }

  /** The shared tensors alone: a copy, or the tensors themselves where they are a part already. */
  take<T extends Gradients | ModelParameters>(tensors: T): T {
    const { slots, layout } = this.#cut(tensors.layout);
    if (layout === tensors.layout) return tensors;
    const values = tensors.values.slice(0, layout.length);
    slots.forEach(({ offset, size }, index) => {
      const place = layout.tensors[index] as TensorSlot;
      values.set(tensors.values.subarray(offset, offset + size), place.offset);
    });
    // Both are made of the same three things; which one it is was known all along.
    const { sampleCount, baseVersion, origin } = tensors;
    return (
      Gradients.isGradients(tensors)
        ? new Gradients(layout, values, { sampleCount: tensors.sampleCount, baseVersion, origin })
        : new ModelParameters(layout, values, { sampleCount, baseVersion, origin })
    ) as T;
  }

  /** A copy of the whole with the shared tensors of `part` in it. Throws LayoutMismatchError where they do not fit. */
  putInto(whole: ModelParameters, part: ModelParameters): ModelParameters {
    const { slots, layout } = this.#cut(whole.layout);
    layout.assertFits(part.layout, 'shared tensors', 'the model');
    const result = whole.clone({ baseVersion: part.baseVersion });
    slots.forEach(({ name, offset }) => {
      result.values.set(part.get(name), offset);
    });
    return result;
  }

  #cut(whole: ParameterLayout): Cut {
    const known = this.#cuts.get(whole);
    if (known !== undefined) return known;
    const cut = this.#makeCut(whole);
    this.#cuts.set(whole, cut);
    return cut;
  }

  #makeCut(whole: ParameterLayout): Cut {
    let slots: readonly TensorSlot[];
    try {
      slots = matchTensors(whole, this.patterns, 'sharedTensors');
    } catch (cause) {
      throw new LayoutMismatchError(toError(cause).message, { cause });
    }
    const { architecture } = whole;
    const isPart = slots.length === whole.tensors.length && architecture?.shared !== undefined;
    if (isPart || (architecture === undefined && slots.length === whole.tensors.length))
      return { slots, layout: whole };
    const shared = slots.map(({ name }) => name);
    return {
      slots,
      layout: new ParameterLayout(
        slots,
        architecture === undefined ? undefined : { ...architecture, shared },
      ),
    };
  }
}
