import type { Compression } from '../compression/Compression.ts';
import { MalformedDataError } from '../errors.ts';
import { ModelParameters } from '../parameters/ModelParameters.ts';
import type { ParameterLayout } from '../parameters/ParameterLayout.ts';
import type { MainMessage } from '../protocol/messages.ts';
import { isSameMain, readMain } from './readMain.ts';

/**
 * What a main that has come is to its child: `old` where it has a newer one, `known` where it has the same, `missing` where
 * it is a difference to one that is not here.
 */
export type Arrival = 'old' | 'known' | 'new' | 'missing';

/** The newest main that a child has been sent, and the one that its model started from. */
export class KnownMain {
  #main: ModelParameters | undefined;
  #adopted: ModelParameters | undefined;
  /** The coordinator has begun anew: its versions count from elsewhere. */
  #isOfOtherInstance = false;
  readonly #compression: Compression | undefined;

  constructor(compression: Compression | undefined) {
    this.#compression = compression;
  }

  /** Not a copy. */
  get parameters(): ModelParameters | undefined {
    return this.#main;
  }

  /** 0 before there is one. */
  get version(): number {
    return this.#main?.baseVersion ?? 0;
  }

  /** What the model started from, where that was a main of this coordinator. Not a copy. */
  get adopted(): ModelParameters | undefined {
    return this.#adopted;
  }

  /** The model has this main now. */
  adopt(main: ModelParameters): void {
    this.#adopted = main;
  }

  /** Another life of the coordinator may have gone back to an older main. */
  beginInstance(): void {
    this.#isOfOtherInstance = true;
  }

  /** Takes a main in. Throws MalformedDataError where its content does not fit. */
  take(message: MainMessage, layout: ParameterLayout): Arrival {
    const { version } = message;
    const isOfOtherInstance = this.#isOfOtherInstance;
    // A transport may bring it twice, or late: main never goes back within a session.
    if (this.#main !== undefined && version <= this.version && !isOfOtherInstance) return 'old';
    const values = readMain(message, layout, isOfOtherInstance ? undefined : this.#main, this.#compression);
    if (values === undefined) return 'missing';
    this.#isOfOtherInstance = false;
    const main = new ModelParameters(layout, values, { baseVersion: version });
    const isKnown = this.#main !== undefined && isSameMain(main, this.#main);
    this.#main = main;
    // The version that the model has is not one of this coordinator's.
    if (isOfOtherInstance && !isKnown) this.#adopted = undefined;
    return isKnown ? 'known' : 'new';
  }
}

/** What is wrong with a difference to a main that is not here. */
export function missingBase({ version, base }: MainMessage): MalformedDataError {
  return new MalformedDataError(
    `version ${version} of main came as a difference to version ${base}, which is not here`,
  );
}
