import { LimitExceededError, MalformedDataError } from '../errors.ts';
import { layoutsPerConnectionMax } from '../limits.ts';
import { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { LayoutForm, LayoutMessage } from './messages.ts';

/** The layouts that have crossed one connection: each is sent once and then named by its fingerprint. */
export class LayoutCatalog {
  readonly #sent = new Set<string>();
  readonly #received = new Map<string, ParameterLayout>();

  /** The message that must go out before tensors of this layout, or undefined where it has gone (`markSent`). */
  announcement(layout: ParameterLayout): LayoutMessage | undefined {
    if (this.#sent.has(layout.fingerprint)) return undefined;
    return { type: 'layout', fingerprint: layout.fingerprint, ...layoutForm(layout) };
  }

  /** The announcement has gone out. */
  markSent(layout: ParameterLayout): void {
    this.#sent.add(layout.fingerprint);
  }

  /** Takes an announced layout in. Throws where it is illegal or not what its fingerprint says. */
  receive({ fingerprint, ...form }: LayoutMessage): void {
    if (this.#received.size >= layoutsPerConnectionMax) {
      throw new LimitExceededError(`more than ${layoutsPerConnectionMax} layouts on one connection`);
    }
    const layout = readLayout(form);
    if (layout.fingerprint !== fingerprint) {
      throw new MalformedDataError(
        `layout has fingerprint ${layout.fingerprint}, its message says ${fingerprint}`,
      );
    }
    this.#received.set(fingerprint, layout);
  }

  /** The layout of a fingerprint. Throws MalformedDataError where it was not announced. */
  require(fingerprint: string): ParameterLayout {
    const layout = this.#received.get(fingerprint);
    if (layout === undefined) throw new MalformedDataError(`layout ${fingerprint} was not announced`);
    return layout;
  }
}

/** A layout as it travels. */
export function layoutForm(layout: ParameterLayout): LayoutForm {
  return {
    tensors: layout.tensors.map(({ name, shape }) => ({ name, shape })),
    architecture: layout.architecture ?? null,
  };
}

/** Reads what a stranger says of a layout. Throws MalformedDataError or LimitExceededError. */
export function readLayout({ tensors, architecture }: LayoutForm): ParameterLayout {
  for (const tensor of tensors) {
    if (typeof tensor !== 'object' || tensor === null)
      throw new MalformedDataError('a tensor of a layout is no object');
  }
  return new ParameterLayout(tensors, architecture ?? undefined);
}
