import { unpublishedMainsMax } from '../../limits.ts';
import type { Beliefs } from '../../models/bayesian/beliefs.ts';
import { multiplyBeliefs } from '../../models/bayesian/beliefs.ts';
import type { SharedVariables } from '../../models/bayesian/SharedVariables.ts';
import { writeBeliefs } from '../../models/bayesian/tensors.ts';
import { ModelParameters } from '../../parameters/ModelParameters.ts';
import { PublishedMain } from '../PublishedMain.ts';

/** Mains as each child gets them: prior · what all others had said in it. */
export class PersonalMains<B extends Beliefs> {
  readonly #variables: SharedVariables<B>;
  /** Of mains that are published, or are to be: what everybody had said. */
  readonly #said = new Map<number, (childId: string) => B>();

  constructor(variables: SharedVariables<B>) {
    this.#variables = variables;
  }

  /** The variables are those of main of this version. */
  keep(version: number): void {
    this.#said.set(version, this.#variables.snapshot());
    const [oldest] = this.#said.keys();
    if (this.#said.size > unpublishedMainsMax && oldest !== undefined) this.#said.delete(oldest);
  }

  /** Nobody will be sent an older one any more. */
  published(version: number): void {
    for (const older of this.#said.keys()) if (older < version) this.#said.delete(older);
  }

  /** Main as this child gets it. */
  of(childId: string, { version, layout, values }: PublishedMain): PublishedMain {
    const own = this.#said.get(version)?.(childId);
    const others = new Float64Array(layout.length);
    const { prior } = this.#variables;
    // Of a main that was kept back for long it is not known any more: what all others say now is no worse.
    writeBeliefs(own ?? multiplyBeliefs(prior, this.#variables.inboxOf(childId)), layout, others);
    if (own !== undefined)
      for (let i = 0; i < others.length; i++) others[i] = (values[i] as number) - (others[i] as number);
    return new PublishedMain(new ModelParameters(layout, others, { baseVersion: version }));
  }
}
