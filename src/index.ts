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
export { analyze, type AnalyzedLayer, type AnalyzeReport, type AnalyzeRequest } from './jobs/analyze.js'
export { COMPRESS_DEFAULTS } from './options/compress-defaults.js'
export type { CompressOptions, RecipeName } from './options/compress-options.js'
export { compress, type CompressResult } from './jobs/compress.js'
export { RECIPES, type CompressRequest } from './options/recipes.js'
export { sweep, type SweepRequest, type SweepValues } from './jobs/sweep.js'
export { evaluateModel, type EvaluateModelOptions } from './jobs/evaluate.js'
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
} from './jobs/records.js'
export type { CheckpointOptions } from './training/run-checkpoint.js'
export { TRAIN_DEFAULTS } from './options/train-defaults.js'
export { trainNetwork, type TrainNetworkOptions, type TrainNetworkResult, type TrainRequest } from './jobs/train.js'
export { VERSION } from './version.js'
