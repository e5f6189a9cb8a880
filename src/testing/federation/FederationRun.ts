import { DistributedGradientsCoordinator } from '../../coordinators/DistributedGradientsCoordinator.ts';
import type { Receipt } from '../../coordinators/receipts.ts';
import { DivergedError, InvalidOptionError } from '../../errors.ts';
import { defaultCoordinatorLimits } from '../../limits.ts';
import type { Configurable, GradientModel, Model } from '../../models/Model.ts';
import { isGradientModel } from '../../models/Model.ts';
import { Gradients } from '../../parameters/Gradients.ts';
import type { ModelParameters } from '../../parameters/ModelParameters.ts';
import { createValues } from '../../parameters/values.ts';
import type { Random } from '../../random.ts';
import { seededRandom } from '../../random.ts';
import type { CoordinatorDescription, RecordedCoordinator } from '../../replay/description.ts';
import { createCoordinator, modeName, setMain } from '../../replay/description.ts';
import { UpdateRecorder } from '../../replay/UpdateRecorder.ts';
import { drawDelay, happens } from '../networkFaults.ts';
import { VirtualClock } from '../VirtualClock.ts';
import { misbehave } from './behaviours.ts';
import type { ResolvedProfile } from './ChildProfile.ts';
import { resolveProfile } from './ChildProfile.ts';
import type { FederationSimulation, FederationSimulationOptions } from './simulateFederation.ts';

/** What the children of a federation have done. */
export interface FederationCounts {
  /** Trainings that were begun. */
  begun: number;
  /** Updates that were taken in. */
  taken: number;
  /** Updates that were refused, by the code of the reason; `DIVERGED`: there was none to send. */
  readonly refused: Record<string, number>;
  /** Children that left before their update had arrived. */
  left: number;
  /** Bytes of the values of updates, and of mains. */
  bytesUp: number;
  bytesDown: number;
}

type Outcome = Pick<Receipt, 'status' | 'reason'>;

/** A child at work. */
interface Worker {
  readonly child: number;
  readonly main: ModelParameters;
  readonly profile: ResolvedProfile;
  readonly random: Random;
  /** It goes before its update has arrived. */
  readonly isLeaving: boolean;
}

type Plan = FederationSimulationOptions &
  Required<Pick<FederationSimulationOptions, 'atOnce' | 'coordinator' | 'versions' | 'seed'>>;

/** Streams of random numbers, apart from each other: of the run, of the coordinator, and one for each child. */
const [runStream, coordinatorStream, firstChildStream] = [1, 2, 16];

/** One simulated federation. */
export class FederationRun {
  readonly #plan: Plan;
  readonly #clock = new VirtualClock();
  readonly #random: Random;
  readonly #coordinator: RecordedCoordinator;
  readonly #recorder: UpdateRecorder | undefined;
  readonly #model: Model;
  readonly #isInRounds: boolean;
  /** Main is made of the latest of every child: those that have sent must stay. */
  readonly #keepsChildren: boolean;
  readonly #atWork = new Set<number>();
  readonly #arrived: Worker[] = [];
  readonly #counts: FederationCounts = { begun: 0, taken: 0, refused: {}, left: 0, bytesUp: 0, bytesDown: 0 };
  /** Main as children get it, once for each version. */
  #main: ModelParameters | undefined;
  #isEnded = false;
  #flushed = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
    const { coordinator, seed, atOnce, log } = plan;
    const clock = this.#clock;
    this.#random = seededRandom(seed, runStream);
    const limits = { childrenMax: Math.max(4 * atOnce, 1_024, isLatest(coordinator) ? plan.children : 0) };
    const random = seededRandom(seed, coordinatorStream);
    this.#coordinator = createCoordinator(coordinator, {
      ...{ clock, roundClock: clock, random },
      limits: { ...defaultCoordinatorLimits, ...limits },
    });
    this.#recorder = log === undefined ? undefined : new UpdateRecorder({ store: log, coordinator, clock });
    if (this.#recorder !== undefined) this.#coordinator.use(this.#recorder);
    this.#isInRounds = isInRounds(coordinator);
    this.#keepsChildren = isLatest(coordinator);
    this.#model = plan.createModel();
  }

  get nowMs(): number {
    return this.#clock.now();
  }

  get isDone(): boolean {
    return this.#isEnded || this.#coordinator.version > this.#plan.versions;
  }

  /** Sets the first main and lets the first children begin. */
  async begin(): Promise<void> {
    const coordinator = this.#coordinator;
    if (coordinator instanceof DistributedGradientsCoordinator)
      this.#gradientModel.setAreGradientsSaved(true);
    setMain(coordinator, await this.#firstParameters());
    coordinator.on('mainUpdated', ({ version }) => this.#moved(version));
    this.#moved(coordinator.version);
    if (!this.#isInRounds) this.#beginMany();
  }

  /** Lets the next thing happen; false where nothing is left until that time. */
  async next(untilMs: number): Promise<boolean> {
    if (!this.#clock.runNext(untilMs)) return false;
    for (let worker = this.#arrived.shift(); worker !== undefined; worker = this.#arrived.shift())
      await this.#finish(worker);
    // A log that is written elsewhere must not pile up here.
    if (this.#recorder !== undefined && this.#counts.taken >= this.#flushed + this.#plan.atOnce) {
      this.#flushed = this.#counts.taken;
      await this.#recorder.flush();
    }
    return true;
  }

  /** Why nothing happens any more. */
  stalled(untilMs: number): string {
    if (this.#clock.pendingTimers > 0)
      return `main was not moved ${this.#plan.versions} times within ${untilMs} ms`;
    const wait = this.#coordinator.waitingFor()?.reason ?? 'main does not move';
    return `nobody is at work any more, and ${wait}; give the mode a quorum and a deadline`;
  }

  async end(): Promise<FederationSimulation> {
    await this.#recorder?.flush();
    const { version } = this.#coordinator;
    const main = this.#coordinator.getModelParameters();
    return { seed: this.#plan.seed, main, versions: version - 1, tookMs: this.nowMs, counts: this.#counts };
  }

  async close(): Promise<void> {
    await this.#coordinator.close();
  }

  /** Throws InvalidOptionError where it is none. */
  get #gradientModel(): GradientModel {
    if (isGradientModel(this.#model)) return this.#model;
    throw new InvalidOptionError('this coordinator takes gradients and the model gives none');
  }

  async #firstParameters(): Promise<ModelParameters> {
    const { features, labels } = this.#plan.rows(0);
    await this.#model.train(features, labels, { maximumNumberOfIterations: 0 });
    return this.#model.getModelParameters();
  }

  #moved(version: number): void {
    this.#main = this.#coordinator.getModelParameters();
    const main = this.#main;
    if (this.#plan.onMain?.({ version, atMs: this.nowMs, main }) === false) this.#isEnded = true;
    if (this.#isInRounds && !this.isDone) this.#beginMany();
  }

  #beginMany(): void {
    const { atOnce, children } = this.#plan;
    for (let i = 0; i < atOnce && this.#atWork.size < children; i++) this.#beginOne();
  }

  /** A child that is not at work yet takes main. */
  #beginOne(): void {
    const { children, seed, profile } = this.#plan;
    let child = Math.floor(this.#random.next() * children);
    while (this.#atWork.has(child)) child = (child + 1) % children;
    this.#atWork.add(child);
    const main = this.#main as ModelParameters;
    const version = this.#coordinator.version;
    // Its own, whoever else there is.
    const random = seededRandom(seed, firstChildStream + child);
    const given = resolveProfile(profile?.(child, random) ?? {});
    const now = seededRandom(seed ^ version, firstChildStream + child);
    const worker: Worker = {
      child,
      main,
      profile: given,
      random: now,
      isLeaving: happens(given.leaves, now),
    };
    this.#coordinator.addChild(nameOf(child));
    const bytes = main.values.byteLength;
    this.#counts.begun++;
    this.#counts.bytesDown += bytes;
    const { trainingMs, latencyMs, bytesPerSecond } = given;
    const travelMs = (): number => drawDelay(latencyMs, now) + (1_000 * bytes) / bytesPerSecond;
    const tookMs = travelMs() + drawDelay(trainingMs, now) + travelMs();
    const part = worker.isLeaving ? now.next() : 1;
    this.#clock.schedule(() => void this.#arrived.push(worker), part * tookMs);
  }

  async #finish(worker: Worker): Promise<void> {
    const { child, isLeaving } = worker;
    if (isLeaving) {
      this.#counts.left++;
      this.#coordinator.removeChild(nameOf(child));
    } else {
      const { status, reason } = await this.#train(worker);
      if (status === 'applied' || status === 'accepted') this.#counts.taken++;
      else {
        const code = reason?.code ?? status;
        this.#counts.refused[code] = (this.#counts.refused[code] ?? 0) + 1;
      }
      if (!this.#keepsChildren) this.#coordinator.removeChild(nameOf(child));
    }
    this.#atWork.delete(child);
    if (!this.#isInRounds && !this.isDone) this.#beginOne();
  }

  async #train({ child, main, profile, random }: Worker): Promise<Outcome> {
    const model = this.#model as Model & Partial<Configurable<{ seed: number }>>;
    const { features, labels } = this.#plan.rows(child);
    await model.setModelParameters(main, { resetOptimizer: true });
    // What is random in its training depends on the child and on main alone.
    model.setParameters?.({ seed: Math.floor(random.next() * 2 ** 31) });
    try {
      await model.train(features, labels, this.#plan.training);
    } catch (thrown) {
      // From a main that others have spoilt, say: it has nothing to send.
      if (thrown instanceof DivergedError) return { status: 'refused', reason: thrown };
      throw thrown;
    }
    return this.#send(child, main, profile, random);
  }

  async #send(
    child: number,
    main: ModelParameters,
    { behaviour }: ResolvedProfile,
    random: Random,
  ): Promise<Receipt> {
    const childId = nameOf(child);
    const coordinator = this.#coordinator;
    if (coordinator instanceof DistributedGradientsCoordinator) {
      const gradients = await this.#gradientModel.getGradients();
      const { layout, values, sampleCount, baseVersion } = gradients;
      misbehave(behaviour, values, { base: createValues(gradients.dtype, values.length), random });
      this.#counts.bytesUp += values.byteLength;
      return coordinator.addGradients(new Gradients(layout, values, { sampleCount, baseVersion }), {
        childId,
      });
    }
    // Without the model's own identity: one model is many children.
    const parameters = (await this.#model.getModelParameters()).clone({ origin: undefined });
    misbehave(behaviour, parameters.values, { base: main.values, random });
    this.#counts.bytesUp += parameters.values.byteLength;
    return coordinator.addModelParameters(parameters, { childId });
  }
}

function nameOf(child: number): string {
  return `child-${child}`;
}

function isInRounds(description: CoordinatorDescription): boolean {
  const isOnePerChild = description.kind === 'gradients' && (description.childrenPerUpdate ?? 1) > 1;
  return isOnePerChild || modeName(description.mode) === 'synchronous';
}

function isLatest(description: CoordinatorDescription): boolean {
  if (description.kind !== 'parameters' || description.childUpdatesPerMerge !== undefined) return false;
  return modeName(description.mode) === 'immediate';
}
