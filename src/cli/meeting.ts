import { CoordinatorHost } from 'mainstem';
import type { Crew } from './crews.ts';
import type { ChildrenOutcome } from './demoChild.ts';
import { inRawPixels } from './digits.ts';
import { FederationRun } from './federated.ts';
import type { Federation } from './federations.ts';
import { federationName, federations } from './federations.ts';
import type { Stage } from './progress.ts';
import type { Result, Setting } from './setting.ts';

/** All federations of the demo behind one listener, and the children that take part in one after the other. */
export class Meeting {
  /** What conducts each. */
  readonly runs: ReadonlyMap<Federation, FederationRun>;
  readonly #crew: Crew;
  readonly #host = new CoordinatorHost();
  #outcomes: Promise<ChildrenOutcome[][]> = Promise.resolve([]);
  /** Rejects where children fail, or the demo is interrupted. */
  #failure: Promise<never> = new Promise(() => {});

  private constructor(crew: Crew, setting: Setting) {
    const raw: Setting = { ...setting, heldOut: inRawPixels(setting.heldOut) };
    this.#crew = crew;
    this.runs = new Map(
      federations.map((federation) => [
        federation,
        new FederationRun(federation, federation.split === 'raw' ? raw : setting),
      ]),
    );
    for (const { coordinator } of this.runs.values()) this.#host.add(coordinator);
  }

  /** Listens and starts the children. */
  static async open(crew: Crew, setting: Setting): Promise<Meeting> {
    const meeting = new Meeting(crew, setting);
    try {
      await meeting.#start(setting.signal);
      return meeting;
    } catch (thrown) {
      await meeting.close();
      throw thrown;
    }
  }

  async #start(signal: AbortSignal): Promise<void> {
    await this.#host.listen(this.#crew.transport);
    this.#outcomes = this.#crew.start(signal);
    this.#failure = new Promise((_, reject) => {
      this.#outcomes.catch(reject);
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    // Nobody may be waiting for the children when it comes.
    this.#failure.catch(() => {});
  }

  /** Conducts one federation; in the order in which they are listed. */
  run(federation: Federation, stage: Stage): Promise<Result> {
    const run = this.runs.get(federation);
    if (run === undefined) throw new Error(`there is no federation ${federationName(federation)}`);
    return Promise.race([run.run(stage), this.#failure]);
  }

  /**
   * Bytes of all frames in each federation, once the children have ended. Rejects where one has left a federation before
   * its last round and no training has diverged.
   */
  async traffic(): Promise<ReadonlyMap<Federation, number>> {
    const outcomes = await Promise.race([this.#outcomes, this.#failure]);
    return new Map(
      federations.map((federation, place) => {
        const own = outcomes.map((each) => each[place] as ChildrenOutcome);
        if (!this.runs.get(federation)?.isComplete && !own.some(({ hasDiverged }) => hasDiverged))
          throw new Error(`a child has left ${federationName(federation)} before its last round`);
        return [federation, own.reduce((sum, { bytes }) => sum + bytes, 0)];
      }),
    );
  }

  /** Ends the children, wherever they are, and frees what was listened on. */
  async close(): Promise<void> {
    for (const { coordinator } of this.runs.values()) await coordinator.close();
    await this.#host.close();
    await this.#crew.stop();
  }
}
