// Options that say which weights become ternary, and how; and the values that a sweep goes through.
import { METHOD_NAMES, REST_PRECISIONS, TERNARY_ENCODINGS, TERNARY_METHOD_NAMES } from './choices.js'
import type { OptionRow } from './option.js'

const group = 'Ternary weights:'
const values = 'Values (one of them):'
const bestFit = 'best fit per layer'
const machines = 'Several machines:'
const fraction = { type: 'number', range: { from: 0, below: 1 } } as const
const fractions = { type: 'numbers', range: { from: 0, below: 1 } } as const

export const SWEEP_VALUE_OPTIONS = {
  thresholds: {
    kind: fractions,
    jobs: ['sweep'],
    only: 'command line',
    group: values,
    help: 'weights up to this share of the largest become 0: 0.02,0.05,0.1',
  },
  sparsities: {
    kind: fractions,
    jobs: ['sweep'],
    only: 'command line',
    group: values,
    help: 'this share of the weights becomes 0: 0.3,0.4,0.5',
  },
  shard: {
    kind: { type: 'text' },
    jobs: ['sweep'],
    only: 'command line',
    perCall: true,
    group: machines,
    help:
      'compute these points alone, into <output>.points: 2/4 is the second of four parts; auto takes both from ' +
      'Slurm, AWS Batch or Kubernetes, there as auto/4',
  },
  merge: {
    kind: { type: 'flag' },
    jobs: ['sweep'],
    only: 'command line',
    perCall: true,
    group: machines,
    help: 'put the points in <output>.points together, and train nothing; exit code 3 where some are missing',
  },
  partial: {
    kind: { type: 'flag' },
    jobs: ['sweep'],
    only: 'command line',
    perCall: true,
    group: machines,
    help: 'with --merge: of the points that are there',
  },
} as const satisfies Record<string, OptionRow>

export const WEIGHT_OPTIONS = {
  method: {
    kind: { type: 'choice', choices: TERNARY_METHOD_NAMES },
    jobs: ['compress', 'analyze'],
    default: { base: 'ttq' },
    group,
    help: 'ttq, twn, bwn or dorefa',
  },
  /** Methods to train beside it with the same options, for the report's comparison; `none` is full precision. */
  compare: {
    kind: { type: 'choices', choices: METHOD_NAMES },
    jobs: ['compress'],
    default: { base: [] },
    needsData: true,
    group,
    help: 'train these methods, too, and print them side by side: ttq, twn, bwn, dorefa, none (full precision)',
  },
  /** Threshold as a fraction of max|w|, constant for all layers. */
  threshold: {
    kind: fraction,
    jobs: ['compress', 'analyze'],
    // Zhu et al. (arXiv 1612.01064), section 5.1.
    default: { paper: 0.05 },
    group,
    help: 'weights up to this share of the largest become 0, in every layer',
    defaultText: bestFit,
  },
  /** Share of zeros, constant for all layers. Without either, each layer starts from its best L2 fit. */
  sparsity: {
    kind: fraction,
    jobs: ['compress', 'analyze'],
    group,
    help: 'this share of the weights becomes 0, in every layer',
    defaultText: bestFit,
  },
  /**
   * Layer by layer: what a bit per weight may cost, as a share of what a layer gives (its output's variance, on the
   * average of the layers).
   */
  sizeWeight: {
    kind: { type: 'number', range: { from: 0, to: 10 } },
    jobs: ['compress'],
    default: { base: 0 },
    group,
    help:
      'layer by layer: what a bit less per weight may cost of the outputs of the layers, as 0.02; more zeros, ' +
      'smaller files',
  },
  /** Glob patterns of layers to keep in full precision, */
  keep: {
    kind: { type: 'texts' },
    jobs: ['compress', 'sweep', 'analyze'],
    default: { base: [] },
    group,
    help: 'keep layers of this name (* and ? match) in full precision, besides the first and last',
    at: { analyze: { help: 'leave layers of this name (* and ? match) out, besides the first and last' } },
  },
  /** and to make ternary against the default. */
  ternary: {
    kind: { type: 'texts' },
    jobs: ['compress', 'sweep', 'analyze'],
    default: { base: [] },
    group,
    help: 'make layers of this name ternary although they are first or last',
    at: { analyze: { help: 'measure layers of this name although they are first or last' } },
  },
  renormalize: {
    kind: { type: 'choice', choices: ['auto', 'off'] },
    jobs: ['compress', 'sweep', 'analyze'],
    default: { base: 'auto' },
    group,
    help: 'put a batch norm behind ternary layers that have none: auto or off',
    at: { analyze: { help: 'divide output channels out of layers without batch norm: auto or off' } },
  },
  /** How everything that is not ternary is stored. */
  rest: {
    kind: {
      type: 'choice',
      choices: REST_PRECISIONS,
      elsewhere: { half: 'fp16', float16: 'fp16', float32: 'fp32', float: 'fp32', '8': 'int8', '16': 'fp16' },
    },
    jobs: ['compress', 'sweep'],
    default: { base: 'fp16' },
    group,
    help: 'store what is not ternary as fp32, fp16, or int8 (other layers; fp16 what is no layer)',
  },
  /** How ternary weights are stored. */
  encoding: {
    kind: { type: 'choice', choices: TERNARY_ENCODINGS },
    jobs: ['compress', 'sweep'],
    default: { base: 'auto' },
    fingerprint: 'covered',
    group,
    help:
      'store ternary weights as entropy (as few bits as they are worth), base3 (1.6 bits) or 2bit, which can be ' +
      'mapped into memory; auto: the smallest for each layer',
  },
} as const satisfies Record<string, OptionRow>
