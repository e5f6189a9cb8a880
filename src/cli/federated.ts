import type { MainstemError, ModelParameters } from 'mainstem';
import {
  DistributedGradientsCoordinator,
  DistributedModelParametersCoordinator,
  Preprocessing,
} from 'mainstem';
import type { Federation } from './federations.ts';
import { federationName, scheduleOf } from './federations.ts';
import { InChildOrder } from './InChildOrder.ts';
import type { Stage } from './progress.ts';
import type { Result, Setting } from './setting.ts';
import { accuracyOf, createNetwork } from './setting.ts';

type AnyCoordinator = DistributedGradientsCoordinator | DistributedModelParametersCoordinator;

/**
 * The coordinator's side of one federation, wherever its children are. They may join before it runs: they wait for the
 * first main.
 */
export class FederationRun {
  readonly coordinator: AnyCoordinator;
  readonly #federation: Federation;
  readonly #setting: Setting;
  readonly #setMain: (parameters: ModelParameters) => void;
  #isComplete = false;

  constructor(federation: Federation, setting: Setting) {
    this.#federation = federation;
    this.#setting = setting;
    const { children, plan } = setting;
    const options = { federation: federationName(federation) };
    if (federation.way === 'gradients') {
      // Children send the gradient over all their rows; Adam moves main once a round.
      const { learningRate } = plan.gradients;
      const own = { childrenPerUpdate: children, optimizer: 'adam', learningRate } as const;
      const coordinator = new DistributedGradientsCoordinator({ ...options, ...own });
      this.#setMain = (parameters) => coordinator.setModelParameters(parameters);
      this.coordinator = coordinator;
    } else {
      // Children train for a few epochs and send their parameters; main is their mean, weighted by rows.
      const own = { childUpdatesPerMerge: children, merger: new InChildOrder() };
      const coordinator = new DistributedModelParametersCoordinator({ ...options, ...own });
      this.#setMain = (parameters) => coordinator.setMainModelParameters(parameters);
      this.coordinator = coordinator;
    }
  }

  /** Whether all rounds have been: not where the training of a child has diverged. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /**
   * Gives the children their start and waits until they have left. Where one leaves early, this ends with the main of
   * the round before. The bytes are the children's to tell, and 0 here. Rejects where an update is refused.
   */
  async run(stage: Stage): Promise<Result> {
    const { coordinator } = this;
    const { way } = this.#federation;
    const { clock, plan } = this.#setting;
    const { rounds, epochs } = scheduleOf(way, plan);
    const started = clock.now();
    let accuracy = 0;
    coordinator.on('mainUpdated', ({ version }) => {
      // The first main is the start.
      if (version === 1) return;
      accuracy = accuracyOf(coordinator.getModelParameters(), this.#setting);
      stage.advance(version - 1, accuracy);
    });
    const end = this.#end(rounds);
    this.#setMain(way === 'scaled' ? await this.#startBehindScaler() : this.#setting.start);
    await end;
    this.#isComplete = coordinator.version > rounds;
    await coordinator.close();
    const seconds = (clock.now() - started) / 1000;
    return { name: way, accuracy, rounds, epochs: rounds * epochs, bytes: 0, seconds };
  }

  /** All children have left after the last round, or one before. */
  #end(rounds: number): Promise<void> {
    const { coordinator } = this;
    let left = 0;
    return new Promise((resolve, reject) => {
      coordinator.on('childLeft', () => {
        left++;
        if (left === this.#setting.children || coordinator.version <= rounds) resolve();
      });
      coordinator.on('updateRejected', ({ reason }: { readonly reason: MainstemError }) => reject(reason));
      coordinator.on('error', reject);
    });
  }

  /** Each child reports count, mean and spread of its columns; added up they are those of all rows. */
  async #startBehindScaler(): Promise<ModelParameters> {
    const { coordinator } = this;
    const { seed, children } = this.#setting;
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (coordinator.reports.featureStatistics?.children.length === children) resolve();
      };
      coordinator.on('reportReceived', look);
      look();
    });
    const combined = coordinator.reports.featureStatistics;
    if (combined === undefined) throw new Error('no child has reported statistics');
    const preprocessing = new Preprocessing('standardScaler').fit(combined.statistics);
    return createNetwork({ seed, preprocessing }).getModelParameters();
  }
}
