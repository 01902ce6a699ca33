// Options that say how a network is trained, whatever becomes of its weights.
//
// Defaults of fine-tuning were tuned on CIFAR-10 ResNet-20. Those of `train`, for random weights, are those of He et
// al. (2016, arXiv 1512.03385, section 4.2) for ResNets on CIFAR-10, with a cosine in the place of their drops; from
// scratch, weight decay and SGD's rate are the same: random weights have farther to go than trained ones, and no
// teacher. `paper` is how Zhu et al. (arXiv 1612.01064, section 5.1, and their CIFAR-10 code) train ResNets: one rate
// for all values, Wp and Wn included, which drops at epochs 82, 123 and 300 of 400.
import { DEVICE_NAMES, ENGINE_NAMES, OPTIMIZER_NAMES, SCHEDULE_NAMES } from './choices.js'
import type { Job, OptionRow } from './option.js'

export const TRAINING_GROUP = 'Training:'
const group = TRAINING_GROUP
const JOBS = ['compress', 'train', 'sweep'] as const satisfies readonly Job[]

export const TRAINING_OPTIONS = {
  epochs: {
    kind: { type: 'number', range: { from: 0, to: 100_000, whole: true } },
    jobs: JOBS,
    default: { base: 8, fromScratch: 20, quick: 3, thorough: 40, paper: 400, train: 20 },
    needsData: true,
    group,
    help: 'passes over the training data',
    at: {
      compress: { help: 'passes over the training data; 0 fits layer by layer instead, and needs no labels' },
      sweep: { help: 'passes over the training data; 0 fits layer by layer instead' },
    },
  },
  batch: {
    kind: { type: 'number', range: { from: 1, to: 65_536, whole: true } },
    jobs: JOBS,
    default: { base: 128 },
    needsData: true,
    setting: 'training',
    group,
    help: 'samples per step',
  },
  optimizer: {
    kind: { type: 'choice', choices: OPTIMIZER_NAMES },
    jobs: JOBS,
    default: { base: 'adam', fromScratch: 'sgd', paper: 'sgd', train: 'sgd' },
    needsData: true,
    setting: 'training',
    group,
    help: 'sgd (momentum 0.9) or adam (decoupled weight decay)',
  },
  /**
   * Highest learning rate. Adam's steps have the size of the rate, whatever the gradient. (From scratch, LeNet-5, three
   * epochs: 98.23, 98.60, 99.02 % with Adam's 0.001, 0.002, 0.004.)
   */
  learningRate: {
    kind: { type: 'number', range: { above: 0, to: 10 } },
    jobs: JOBS,
    default: {
      base: { sgd: 0.005, adam: 0.001 },
      quick: { adam: 0.002 },
      fromScratch: { sgd: 0.1, adam: 0.004 },
      paper: { sgd: 0.1 },
      train: { sgd: 0.1, adam: 0.001 },
    },
    needsData: true,
    setting: 'training',
    fingerprint: 'against divergence',
    group,
    help: 'highest learning rate; that of latent weights is a multiple, layer by layer',
    at: { train: { help: 'highest learning rate of the weights' } },
  },
  schedule: {
    kind: { type: 'choice', choices: SCHEDULE_NAMES },
    jobs: JOBS,
    default: { base: 'cosine', paper: 'step' },
    needsData: true,
    setting: 'training',
    group,
    help: 'course of the learning rate: cosine (to zero), step (a tenth at each of --drops) or constant',
  },
  /** Where the schedule `step` drops the rate to a tenth: shares of the training, ascending. */
  drops: {
    kind: { type: 'numbers', range: { above: 0, below: 1 } },
    jobs: JOBS,
    default: { base: [0.5, 0.75], paper: [82 / 400, 123 / 400, 300 / 400] },
    needsData: true,
    setting: 'training',
    group,
    help: 'for --schedule step: shares of the training',
  },
  /** Steps of linear warm-up. */
  warmup: {
    kind: { type: 'number', range: { from: 0, whole: true } },
    jobs: JOBS,
    default: { base: 50, paper: 0, train: 100 },
    needsData: true,
    setting: 'training',
    group,
    help: 'steps over which the learning rate rises, at most a fifth of all',
  },
  weightDecay: {
    kind: { type: 'number', range: { from: 0, to: 1 } },
    jobs: JOBS,
    default: { base: 5e-3, fromScratch: 1e-4, paper: 2e-4, train: 1e-4 },
    needsData: true,
    setting: 'training',
    group,
    help: 'weight decay, never on Wp and Wn',
  },
  /** Share of each label that is spread evenly over all classes. */
  labelSmoothing: {
    kind: { type: 'number', range: { from: 0, below: 1 } },
    jobs: JOBS,
    default: { base: 0 },
    needsData: true,
    setting: 'training',
    group,
    help: 'share of each label spread over all classes',
  },
  /** Largest norm of the gradient of all parameters together; longer ones are scaled down to it. */
  clipNorm: {
    kind: { type: 'number', range: { above: 0 } },
    jobs: JOBS,
    needsData: true,
    setting: 'training',
    fingerprint: 'against divergence',
    group,
    help: 'scale gradients down to this norm, over all parameters',
    defaultText: 'off',
  },
  augment: {
    kind: { type: 'flag' },
    jobs: JOBS,
    default: { base: true },
    needsData: true,
    setting: 'training',
    group,
    help: 'change training images, see --augmentations (--no-augment: not)',
    defaultText: 'on',
  },
  /** How images are changed in training; absent: as is usual for such images. */
  augmentations: {
    kind: { type: 'texts' },
    jobs: JOBS,
    needsData: true,
    setting: 'training',
    group,
    help: 'what is done to training images: crop:4, flip, resized-crop:0.08, jitter:0.4, hue:0.1, cutout:16',
    defaultText: 'by the images: crop, and flip where they have colours',
  },
  /** Alpha of the Beta distribution that pairs of samples are blended by (Zhang et al., arXiv 1710.09412). */
  mixup: {
    kind: { type: 'number', range: { above: 0, to: 10 } },
    jobs: JOBS,
    needsData: true,
    setting: 'training',
    group,
    help: 'blend pairs of samples and of their targets, by shares of Beta(alpha, alpha): 0.2',
    defaultText: 'off',
  },
  /** The same of patches that pairs of images exchange (Yun et al., arXiv 1905.04899). */
  cutmix: {
    kind: { type: 'number', range: { above: 0, to: 10 } },
    jobs: JOBS,
    needsData: true,
    setting: 'training',
    group,
    help: 'patches of images from others, targets by their area, which is of Beta(alpha, alpha): 1',
    defaultText: 'off',
  },
  /** Held-out training samples that choose the epoch to keep; at most a tenth of the training data. */
  validation: {
    kind: { type: 'number', range: { from: 1, whole: true } },
    jobs: JOBS,
    default: { base: 2000 },
    needsData: true,
    setting: 'training',
    group,
    help: 'samples held out to choose the best epoch, at most a tenth',
  },
  seed: {
    kind: { type: 'number', range: { from: 0, to: 4_294_967_295, whole: true } },
    jobs: [...JOBS, 'analyze', 'new'],
    default: { base: 1 },
    group,
    help: 'seed of all chance; equal seeds and threads give equal files',
    at: {
      analyze: { group: 'Measuring:', help: 'seed of the choice of samples; that of compress holds out the same' },
      new: { group: 'Network:', help: 'seed of the weights; equal seeds give equal files' },
    },
  },
  /** Worker threads, each one replica; 0 = one per core, or one for another device than cpu. */
  threads: {
    kind: { type: 'number', range: { from: 0, to: 256, whole: true } },
    jobs: [...JOBS, 'analyze', 'evaluate', 'verify'],
    default: { base: 0 },
    fingerprint: 'covered',
    group,
    help: 'worker threads, 0 = one per core (one in all for another device than cpu)',
    at: {
      analyze: { group: 'Measuring:', help: 'worker threads, 0 = one per core' },
      evaluate: { group: 'Dataset:' },
      verify: { group: 'Dataset:' },
    },
  },
  /** What networks run on, for operators that it has. */
  device: {
    kind: {
      type: 'choice',
      choices: DEVICE_NAMES,
      elsewhere: { gpu: 'cuda', nvidia: 'cuda', directml: 'dml', metal: 'coreml', mps: 'coreml' },
    },
    jobs: [...JOBS, 'evaluate', 'verify'],
    default: { base: 'cpu' },
    needsData: true,
    group,
    help: 'what runs the network: cpu, or cuda, webgpu, coreml, dml where ttq doctor shows them',
    at: { evaluate: { group: 'Dataset:' } },
  },
  /** What computes: the second one is an independent witness of the first. */
  engine: {
    kind: {
      type: 'choice',
      choices: ENGINE_NAMES,
      elsewhere: { ort: 'onnxruntime', tensorflow: 'tfjs', tf: 'tfjs', wasm: 'tfjs-wasm', node: 'tfjs-node' },
    },
    jobs: [...JOBS, 'evaluate', 'verify'],
    default: { base: 'onnxruntime' },
    group,
    help: 'what computes: onnxruntime or TensorFlow.js',
    at: { evaluate: { group: 'Dataset:' }, verify: { group: 'Dataset:' } },
  },
} as const satisfies Record<string, OptionRow>
