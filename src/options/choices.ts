// The words that options choose between. The tables of what they stand for lie in the rooms above, and are typed by
// these.

/** Ways to ternary weights (or two levels: bwn and dorefa are one method under the two names of the paper's table). */
export const TERNARY_METHOD_NAMES = ['ttq', 'twn', 'bwn', 'dorefa'] as const
export type TernaryMethodName = (typeof TERNARY_METHOD_NAMES)[number]

/** `none` is full precision, to compare with. */
export const METHOD_NAMES = [...TERNARY_METHOD_NAMES, 'none'] as const
export type MethodName = (typeof METHOD_NAMES)[number]

export const OPTIMIZER_NAMES = ['sgd', 'adam'] as const

export const SCHEDULE_NAMES = ['cosine', 'step', 'constant'] as const
export type ScheduleName = (typeof SCHEDULE_NAMES)[number]

/**
 * ONNX Runtime's names of its execution providers. cpu is always there and takes over every operator that another one
 * lacks; what is really there is asked of the runtime.
 */
export const DEVICE_NAMES = ['cpu', 'cuda', 'webgpu', 'coreml', 'dml'] as const
export type Device = (typeof DEVICE_NAMES)[number]

/**
 * Forms of TensorFlow.js, the fastest first: with TensorFlow itself, with kernels in WebAssembly, and in JavaScript
 * alone.
 */
export const TFJS_NAMES = ['tfjs-node', 'tfjs-wasm', 'tfjs-cpu'] as const
export type TfjsName = (typeof TFJS_NAMES)[number]

/** What runs graphs. `tfjs` is the fastest form of TensorFlow.js that is installed. */
export const ENGINE_NAMES = ['onnxruntime', 'tfjs', ...TFJS_NAMES] as const
export type EngineChoice = (typeof ENGINE_NAMES)[number]

/** Where decoded pictures stay: in memory, what it has no room for on disk, too, or nowhere. */
export const CACHE_NAMES = ['memory', 'disk', 'none'] as const
export type CacheName = (typeof CACHE_NAMES)[number]

export const REST_PRECISIONS = ['fp32', 'fp16', 'int8'] as const
export type RestPrecision = (typeof REST_PRECISIONS)[number]

/** How ternary weights are stored: 2 bits each, five in a byte, as few bits as they are worth, or the smallest. */
export const TERNARY_ENCODINGS = ['auto', 'entropy', 'base3', '2bit'] as const
export type TernaryEncoding = (typeof TERNARY_ENCODINGS)[number]

/**
 * What a packed file is unpacked to: a plain ONNX file, one that stays small, a header for C, or the codes and scales
 * in a file that Python reads.
 */
export const UNPACKED_FORMS = ['dense', 'packed', 'matmulnbits', 'c', 'npz', 'safetensors'] as const
export type UnpackedFormName = (typeof UNPACKED_FORMS)[number]

/** Options together (presets.ts). */
export const PRESET_NAMES = ['small', 'balanced', 'exact'] as const

/** Sets of defaults: for a short, the usual and a long training, and how Zhu et al. trained. */
export const RECIPE_NAMES = ['quick', 'default', 'thorough', 'paper'] as const
export type RecipeName = (typeof RECIPE_NAMES)[number]

/**
 * Teachers that need no file: the network itself, its mean with what it gives for the mirror image, and the one of both
 * that fits the data.
 */
export const TEACHER_WORDS = ['original', 'mirrored', 'auto'] as const
export type TeacherWord = (typeof TEACHER_WORDS)[number]

/** Kinds of datasets, as `--data kind:path` names them (data/kinds.ts). */
export const DATA_KIND_NAMES = [
  'mnist',
  'cifar10',
  'cifar100',
  'svhn',
  'parquet',
  'imagefolder',
  'webdataset',
  'arrays',
  'module',
] as const
export type DataKindName = (typeof DATA_KIND_NAMES)[number]

/** What networks are trained and judged for; `auto` finds out by labels and outputs. */
export const TASK_NAMES = [
  'classification',
  'segmentation',
  'language',
  'binary',
  'multilabel',
  'regression',
  'distill',
] as const
export type TaskName = (typeof TASK_NAMES)[number]

/** How gradients of several processes are added up: in the order of all replicas, or as the MPI library likes best. */
export const EXCHANGES = ['ordered', 'fast'] as const
export type ExchangeName = (typeof EXCHANGES)[number]

/** How the program says what it is doing; `auto` is a bar in a terminal, else plain lines. */
export const PROGRESS_FORMS = ['auto', 'bar', 'plain', 'json'] as const
export type ProgressForm = (typeof PROGRESS_FORMS)[number]
