import { LimitExceededError, MalformedDataError } from '../errors.ts';
import { layoutsPerConnectionMax } from '../limits.ts';
import { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { LayoutForm, LayoutMessage } from './messages.ts';

/** A layout that the other end has announced. */
interface ReceivedLayout {
  readonly index: number;
  readonly layout: ParameterLayout;
}

/** Of those that have none yet: of ten thousand conversations each array counts. */
const none: readonly never[] = [];

/** The layouts that have crossed one conversation: each is sent once and then named by its index. */
export class LayoutCatalog {
  /** Fingerprints; the place of each is its index. */
  #sent: readonly string[] = none;
  #received: readonly ReceivedLayout[] = none;

  /** The index of a layout; `announce` sends the message that must go out before the first tensors of it. */
  indexOf(layout: ParameterLayout, announce: (message: LayoutMessage) => void): number {
    const known = this.#sent.indexOf(layout.fingerprint);
    if (known >= 0) return known;
    const index = this.#sent.length;
    announce({ type: 'layout', index, fingerprint: layout.fingerprint, ...layoutForm(layout) });
    this.#sent = this.#sent.concat(layout.fingerprint);
    return index;
  }

  /**
   * Takes an announced layout in and returns it. Throws where it is illegal or not what its fingerprint says. `intern`
   * may give an equal layout in its place.
   */
  receive(
    { fingerprint, index, ...form }: LayoutMessage,
    intern: (layout: ParameterLayout) => ParameterLayout = (layout) => layout,
  ): ParameterLayout {
    if (index >= layoutsPerConnectionMax || this.#find(index) !== undefined) {
      throw new LimitExceededError(
        `layout ${index} on one connection, expected each once, and at most ${layoutsPerConnectionMax}`,
      );
    }
    const layout = readLayout(form);
    if (layout.fingerprint !== fingerprint) {
      throw new MalformedDataError(
        `layout has fingerprint ${layout.fingerprint}, its message says ${fingerprint}`,
      );
    }
    const interned = intern(layout);
    this.#received = this.#received.concat({ index, layout: interned });
    return interned;
  }

  /** The layout of an index. Throws MalformedDataError where it was not announced. */
  require(index: number): ParameterLayout {
    const layout = this.#find(index);
    if (layout === undefined) throw new MalformedDataError(`layout ${index} was not announced`);
    return layout;
  }

  #find(index: number): ParameterLayout | undefined {
    return this.#received.find((received) => received.index === index)?.layout;
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
  return new ParameterLayout(tensors, architecture ?? undefined);
}
