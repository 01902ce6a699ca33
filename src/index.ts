// The library: what `import ... from 'ttq'` gives. The command line is a skin over the same functions.
export { TtqError, type ErrorCode, type ErrorDetails } from './errors/ttq-error.js'
export type { Attribute, Attributes, Graph, Model, Node, TensorType, ValueInfo, ValueName } from './onnx/model.js'
export { NETWORKS, newNetwork, type NetworkName } from './networks/new-network.js'
export { readModel } from './onnx/read-model.js'
export { writeModel } from './onnx/write-model.js'
export { inspectPacked, isPacked, pack, unpack, type PackedModel, type PackedSummary } from './packed/index.js'
export type { DataType } from './tensor/data-type.js'
export type { Tensor } from './tensor/tensor.js'
export type { TernaryWeights } from './tensor/ternary.js'
export type { Batch, Dataset, Split } from './data/dataset.js'
export type { DatasetModule } from './data/module-dataset.js'
export { analyze, type AnalyzedLayer, type AnalyzeReport, type AnalyzeRequest } from './training/analyze.js'
export { COMPRESS_DEFAULTS } from './training/compress-defaults.js'
export type { CompressOptions, RecipeName } from './training/compress-options.js'
export { compress, type CompressResult } from './training/compress.js'
export { RECIPES, type CompressRequest } from './training/recipes.js'
export { sweep, type SweepRequest, type SweepValues } from './training/sweep.js'
export { evaluateModel, type EvaluateModelOptions } from './training/evaluate-model.js'
export type {
  CompressReport,
  EvaluateReport,
  LayerReport,
  MethodReport,
  Progress,
  SizeReport,
  SweepPoint,
  SweepReport,
  TrainingReport,
  TrainReport,
} from './training/records.js'
export type { CheckpointOptions } from './training/run-checkpoint.js'
export { TRAIN_DEFAULTS } from './training/train-defaults.js'
export {
  trainNetwork,
  type TrainNetworkOptions,
  type TrainNetworkResult,
  type TrainRequest,
} from './training/train-network.js'
export { VERSION } from './training/version.js'
