// Every public name of the core, by hand. Other rooms import each other's files, never this one.

export type { Category } from './categories.ts';
export type { AdoptOptions } from './children/Child.ts';
export { Child } from './children/Child.ts';
export type { AdoptionTest } from './children/ChildModel.ts';
export type { ChildEvents } from './children/childEvents.ts';
export type { ChildOptions } from './children/childOptions.ts';
export type { ReconnectOptions } from './children/reconnectOptions.ts';
export type { ChildReceipt } from './children/SentUpdates.ts';
export type { Clock, ScheduleOptions } from './clock.ts';
export { systemClock } from './clock.ts';
export type { Coordinator } from './coordinators/Coordinator.ts';
export type { AnyCoordinator, CoordinatorHostOptions } from './coordinators/CoordinatorHost.ts';
export { CoordinatorHost } from './coordinators/CoordinatorHost.ts';
export type { CoordinatorEvents } from './coordinators/coordinatorEvents.ts';
export type { GradientsCoordinatorOptions } from './coordinators/DistributedGradientsCoordinator.ts';
export { DistributedGradientsCoordinator } from './coordinators/DistributedGradientsCoordinator.ts';
export type {
  ModelParametersCoordinatorOptions,
  ParametersIdentity,
} from './coordinators/DistributedModelParametersCoordinator.ts';
export { DistributedModelParametersCoordinator } from './coordinators/DistributedModelParametersCoordinator.ts';
export type { UpdateIdentity } from './coordinators/Membership.ts';
export type {
  Authenticate,
  CloseOptions,
  CoordinatorOptions,
  Drive,
  JoinRequest,
} from './coordinators/options.ts';
export type { BestMain, BestMainKeeperOptions } from './coordinators/plugins/BestMainKeeper.ts';
export { BestMainKeeper } from './coordinators/plugins/BestMainKeeper.ts';
export type { NormClippingOptions } from './coordinators/plugins/NormClipping.ts';
export { NormClipping } from './coordinators/plugins/NormClipping.ts';
export type {
  ChildInfo,
  MembershipHooks,
  MergedInfo,
  MergeInfo,
  Plugin,
  PluginHost,
  PluginLifecycle,
  PublicationInfo,
  RoadHooks,
  RoundInfo,
  Update,
} from './coordinators/plugins/Plugin.ts';
export type { UpdateLogEntry, UpdateLogOptions } from './coordinators/plugins/UpdateLog.ts';
export { UpdateLog } from './coordinators/plugins/UpdateLog.ts';
export type { CombinedEvaluation, CombinedFeatureStatistics, Reports } from './coordinators/Reports.ts';
export type { RoundsCoordinatorOptions } from './coordinators/RoundsCoordinator.ts';
export type { Receipt, UpdateStatus } from './coordinators/receipts.ts';
export type { DeadlineOption, DeadlineOptions } from './coordinators/rounds/Deadline.ts';
export type {
  AsynchronousMode,
  BoundedStalenessMode,
  BufferedMode,
  ModeDescription,
  ModeOption,
  StalenessOptions,
  SynchronousMode,
} from './coordinators/rounds/Mode.ts';
export type { RoundWait } from './coordinators/rounds/RoundWait.ts';
export type { Candidate, ChildSelection } from './coordinators/rounds/selection.ts';
export type { StalenessWeight } from './coordinators/rounds/staleness.ts';
export type { ServerOptimizerOptions } from './coordinators/ServerOptimizer.ts';
export {
  AbortedError,
  AlreadyContributedError,
  ArchitectureMismatchError,
  AuthenticationError,
  BrokenConnectionError,
  ConnectionClosedError,
  ConnectionRefusedError,
  ContractViolationError,
  CorruptFrameError,
  DivergedError,
  DuplicateUpdateError,
  InvalidDataError,
  InvalidOptionError,
  InvalidWeightError,
  isMainstemError,
  LayoutMismatchError,
  LimitExceededError,
  MainstemError,
  MalformedDataError,
  ModelBusyError,
  NoGradientsError,
  NoMainParametersError,
  NonFiniteError,
  NotSelectedError,
  NotTrainedError,
  PluginError,
  RemoteError,
  SessionLostError,
  SimulationError,
  SingularMatrixError,
  StaleSessionError,
  StaleUpdateError,
  StoreError,
  TooFarAheadError,
  UnknownLabelError,
  UpdateDiscardedError,
  UpdateRefusedError,
} from './errors.ts';
export type { ClassificationSumsJson, ClassifiedRows } from './evaluation/ClassificationSums.ts';
export type { EvaluationJson } from './evaluation/Evaluation.ts';
export { Evaluation } from './evaluation/Evaluation.ts';
export type { ClassificationMetric, MetricName, RegressionMetric } from './evaluation/metricNames.ts';
export { isHigherBetter } from './evaluation/metricNames.ts';
export type { OutputSumsJson, PredictedRows, RegressionSumsJson } from './evaluation/RegressionSums.ts';
export { areaUnderCurve } from './evaluation/rankingArea.ts';
export type { KernelName } from './kernels/selection.ts';
export { kernels } from './kernels/selection.ts';
export type { CoordinatorLimits } from './limits.ts';
export { defaultCoordinatorLimits } from './limits.ts';
export type { Logger } from './logger.ts';
export type { MergeFunction } from './mergers/CustomMerge.ts';
export type { MergeChild, MergeContext, Merger, MergerNeeds } from './mergers/Merger.ts';
export type {
  ChildParameters,
  MergeMode,
  MergeWeights,
  ModelParametersMergerOptions,
  Rounding,
} from './mergers/ModelParametersMerger.ts';
export { ModelParametersMerger } from './mergers/ModelParametersMerger.ts';
export type {
  Activation,
  ActivationDescription,
  ActivationName,
  Initialisation,
} from './models/activations.ts';
export type { EarlyStoppingOptions } from './models/earlyStopping.ts';
export type { FedNovaOptions } from './models/FedNovaModel.ts';
export { FedNovaModel } from './models/FedNovaModel.ts';
export type { Features } from './models/features.ts';
export type { GradientClipping } from './models/gradientClipping.ts';
export type { LinearRegressionOptions } from './models/LinearRegression.ts';
export { LinearRegression } from './models/LinearRegression.ts';
export type { BuiltInModel } from './models/LocalRule.ts';
export { LocalRule } from './models/LocalRule.ts';
export type { LogisticRegressionOptions } from './models/LogisticRegression.ts';
export { LogisticRegression } from './models/LogisticRegression.ts';
export type { Label, Labels } from './models/labels.ts';
export type { LayerOption } from './models/layerOptions.ts';
export type { LossName, LossOption } from './models/losses.ts';
export type {
  Awaitable,
  Cloneable,
  Configurable,
  Evaluable,
  GradientModel,
  Model,
  Predictions,
  Resumable,
  Scorable,
  SetModelParametersOptions,
} from './models/Model.ts';
export { isCloneable, isEvaluable, isGradientModel, isScorable } from './models/Model.ts';
export type { ModelJson } from './models/modelJson.ts';
export type { NeuralNetworkOptions } from './models/NeuralNetwork.ts';
export { NeuralNetwork } from './models/NeuralNetwork.ts';
export type { TrainingOptions } from './models/options.ts';
export type { Penalty } from './models/penalty.ts';
export type { ScaffoldOptions } from './models/ScaffoldModel.ts';
export { ScaffoldModel } from './models/ScaffoldModel.ts';
export type { TrainableModel } from './models/TrainableModel.ts';
export type { TrainingThreads } from './models/TrainingThreads.ts';
export type {
  IterationReport,
  TrainAsyncOptions,
  TrainingStep,
  TrainOptions,
  ValidationData,
} from './models/trainOptions.ts';
export { AdaGrad } from './optimizers/AdaGrad.ts';
export type { AdamOptions } from './optimizers/Adam.ts';
export { Adam } from './optimizers/Adam.ts';
export type { AdamWOptions } from './optimizers/AdamW.ts';
export { AdamW } from './optimizers/AdamW.ts';
export type { OptimizerDescription, OptimizerName, OptimizerOption } from './optimizers/createOptimizer.ts';
export { createOptimizer } from './optimizers/createOptimizer.ts';
export type { ScheduleDescription, ScheduleName, ScheduleOption } from './optimizers/createSchedule.ts';
export { createSchedule } from './optimizers/createSchedule.ts';
export { GradientDescent } from './optimizers/GradientDescent.ts';
export type { LearningRateSchedule, ScheduleContext } from './optimizers/LearningRateSchedule.ts';
export { Momentum } from './optimizers/Momentum.ts';
export { Nesterov } from './optimizers/Nesterov.ts';
export type { Optimizer, OptimizerState, OptimizerStateJson } from './optimizers/Optimizer.ts';
export { createOptimizerState } from './optimizers/Optimizer.ts';
export type { RMSPropOptions } from './optimizers/RMSProp.ts';
export { RMSProp } from './optimizers/RMSProp.ts';
export type { CosineScheduleOptions, StepScheduleOptions } from './optimizers/schedules.ts';
export type { YogiOptions } from './optimizers/Yogi.ts';
export { Yogi } from './optimizers/Yogi.ts';
export type { Architecture, JsonValue } from './parameters/architecture.ts';
export type { GradientsInfo } from './parameters/Gradients.ts';
export { Gradients } from './parameters/Gradients.ts';
export { ModelParameters } from './parameters/ModelParameters.ts';
export type {
  NamedTensors,
  NamedTensorsJson,
  Origin,
  TensorArrays,
  TensorsInfo,
} from './parameters/NamedTensors.ts';
export type { NestedArray } from './parameters/nestedArrays.ts';
export type { TensorShape, TensorSlot } from './parameters/ParameterLayout.ts';
export { ParameterLayout } from './parameters/ParameterLayout.ts';
export type { DataType, Values } from './parameters/values.ts';
export type { WarmStart, WarmStartOptions } from './parameters/warmStart.ts';
export { warmStart } from './parameters/warmStart.ts';
export type { PreprocessingOption } from './preprocessing/createPreprocessing.ts';
export type {
  CategoryColumn,
  FeatureStatisticsJson,
  FeatureStatisticsOptions,
  NumberColumn,
} from './preprocessing/FeatureStatistics.ts';
export { FeatureStatistics } from './preprocessing/FeatureStatistics.ts';
export type { MinMaxScalerOptions } from './preprocessing/MinMaxScaler.ts';
export { MinMaxScaler } from './preprocessing/MinMaxScaler.ts';
export type { ScaledRange } from './preprocessing/minMaxScaling.ts';
export type { OneHotEncoderOptions } from './preprocessing/OneHotEncoder.ts';
export { OneHotEncoder } from './preprocessing/OneHotEncoder.ts';
export type { UnknownCategory } from './preprocessing/oneHotEncoding.ts';
export type {
  PreprocessingDescription,
  TransformedRows,
  TransformOptions,
} from './preprocessing/Preprocessing.ts';
export { Preprocessing } from './preprocessing/Preprocessing.ts';
export type { StandardScalerOptions } from './preprocessing/StandardScaler.ts';
export { StandardScaler } from './preprocessing/StandardScaler.ts';
export type { PreprocessingStep, PreprocessingSteps } from './preprocessing/steps.ts';
export type { ArrayConvertible, RowArrays, TableRows, TypedMatrix } from './preprocessing/table.ts';
export type { ReportSubject, UpdateKind } from './protocol/messages.ts';
export type { Random, RandomState } from './random.ts';
export { seededRandom } from './random.ts';
export type { Steps } from './steps.ts';
export { MemoryStore } from './storage/MemoryStore.ts';
export type { Store, StoreOperation } from './storage/Store.ts';
export { TickClock } from './TickClock.ts';
export type { InProcessTransportOptions } from './transport/InProcessTransport.ts';
export { InProcessTransport } from './transport/InProcessTransport.ts';
export { SharedConnection } from './transport/SharedConnection.ts';
export type {
  ClientTransport,
  Connection,
  ConnectionHandlers,
  Listener,
  ServerTransport,
  Transport,
} from './transport/Transport.ts';
