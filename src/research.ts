// For research: networks, objectives, recipes, sessions and engines, without a file around them.
export { activationGradients } from '../codec/activation-gradients.js';
export type { ActivationGradients } from '../codec/activation-gradients.js';
export { countParameters, globalTensors, localTensors, siren } from '../codec/architecture.js';
export type {
  Architecture,
  LocalCoordinates,
  Merge,
  ParameterCount,
  Role,
  Sensitivity,
  SineActivation,
  Tensor,
} from '../codec/architecture.js';
export { automaticPartitioning } from '../codec/automatic.js';
export { createEngine } from '../codec/engine/choose.js';
export type { EngineName } from '../codec/engine/choose.js';
export type {
  Engine,
  EvaluationTask,
  Evaluator,
  SampleTarget,
  SampleTask,
  Snapshot,
  Step,
  StepReport,
  TrainingSession,
  TrainingSetup,
} from '../codec/engine/engine.js';
export { ReferenceEngine } from '../codec/engine/reference/reference-engine.js';
export { boxShape, boxSize, cutsByCell, cutsByCount, Grid, linspaceMap, spreadMap } from '../codec/grid.js';
export type { AxisCuts, Box, CellRange, CoordinateMap } from '../codec/grid.js';
export { Harmonizer } from '../codec/incode/harmonizer.js';
export type { HarmonizerShape } from '../codec/incode/harmonizer.js';
export { RadonTransform, sinogramDistance } from '../codec/incode/radon.js';
export { trainIncode } from '../codec/incode/train-incode.js';
export type { IncodeResult, IncodeTraining } from '../codec/incode/train-incode.js';
export { initialWeights } from '../codec/initialise.js';
export type { InitialisationOptions } from '../codec/initialise.js';
export type { Model, Weights } from '../codec/model.js';
export { sampleObjective } from '../codec/objective.js';
export type { Objective, ObjectiveOptions } from '../codec/objective.js';
export type { AdamOptimiser, Optimiser, SoapOptimiser } from '../codec/optimiser.js';
export type { LossAndGradient, OutputLoss } from '../codec/output-loss.js';
export type { Preset, PresetName } from '../codec/preset.js';
export { PRESETS } from '../codec/presets.js';
export type { Phase, Recipe } from '../codec/recipe.js';
export type { SavedState } from '../codec/saved-state.js';
export { fullRangeMapping } from '../codec/signal.js';
export type { SampleArray, SampleFormat, SampleType, ValueMapping } from '../codec/signal.js';
export { train } from '../codec/train.js';
export type { Budget, Checkpoints, Progress, TrainingOptions, TrainingResult } from '../codec/train.js';
export { wholeError } from '../codec/whole-error.js';
export { storeNetworks } from './store-networks.js';
export type { NetworksToStore } from './store-networks.js';
