// The library: what `import ... from 'ttq-onnx'` gives. The command line is a skin over the same functions.
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
export type {
  DatasetModule,
  ModuleArray,
  ModuleBatch,
  ModuleSample,
  ModuleSplit,
  ModuleStream,
} from './data/module-dataset.js'
export { analyze, type AnalyzeRequest } from './jobs/analyze.js'
export type { AnalyzedLayer, AnalyzeReport } from './jobs/analyze-report.js'
export { defineConfig, type JobConfig, type Settings, type TtqConfig } from './options/config.js'
export { COMPRESS_DEFAULTS, TRAIN_DEFAULTS } from './options/complete-options.js'
export type { GivenOptions, OptionsOf } from './options/option-table.js'
export { compress, type CompressResult } from './jobs/compress.js'
export type { CompressOptions, CompressRequest } from './jobs/compress-job.js'
export type { Connections, TrainingConnections } from './jobs/connections.js'
export { sweep, type SweepRequest } from './jobs/sweep.js'
export type { SweepValues } from './options/sweep-values.js'
export { plan } from './jobs/plan.js'
export type { PlanReport } from './jobs/plan-report.js'
export { surveyData, type DataRequest } from './jobs/survey-data.js'
export type { DataReport } from './jobs/data-report.js'
export { evaluateModel, type EvaluateRequest } from './jobs/evaluate.js'
export type { CompressReport, LayerReport, MethodReport, SizeReport } from './jobs/compress-report.js'
export type { EvaluateReport } from './jobs/evaluate-report.js'
export type { SweepPoint, SweepReport } from './jobs/sweep-report.js'
export type { TrainReport } from './jobs/train-report.js'
export type { Progress } from './training/progress.js'
export type { TrainingReport } from './training/training-report.js'
export type { CheckpointOptions } from './training/run-checkpoint.js'
export { trainNetwork, type TrainNetworkResult, type TrainRequest } from './jobs/train.js'
export { VERSION } from './version.js'
