// Options of what a job measures, what it may cost, and where its results go.
import { UNPACKED_FORMS } from './choices.js'
import type { Job, OptionRow } from './option.js'

const output = 'Output:'
const accuracy = 'Accuracy:'
const network = 'Network:'
/** Jobs whose result is a report, or has one. */
export const REPORTING = [
  'compress',
  'train',
  'sweep',
  'analyze',
  'evaluate',
  'inspect',
  'verify',
  'diff',
  'data',
  'doctor',
] as const satisfies Job[]
const ALL = [...REPORTING, 'unpack', 'new', 'run', 'init', 'report', 'compare', 'predict'] as const satisfies Job[]
/** Those whose reports are pages as well. */
const WITH_PAGES = ['compress', 'train', 'analyze', 'evaluate'] as const satisfies Job[]

export const NETWORK_OPTIONS = {
  classes: {
    kind: { type: 'number', range: { from: 1, to: 1_000_000, whole: true } },
    jobs: ['new'],
    group: network,
    help: 'number of classes',
    defaultText: "the network's own, 10 or 1000",
  },
  input: {
    kind: { type: 'text' },
    jobs: ['new'],
    only: 'command line',
    group: network,
    help: 'size of one sample, <channels>x<height>x<width>',
    defaultText: "the network's own, 1x28x28, 3x32x32 or 3x224x224",
  },
} as const satisfies Record<string, OptionRow>

/** Where a network comes from. */
export const SOURCE_OPTIONS = {
  /** What a packed file was made of. */
  against: {
    kind: { type: 'text', path: 'file' },
    jobs: ['verify'],
    only: 'command line',
    group: network,
    help: 'the ONNX file that it was made of: how far the outputs are away, and the accuracy',
  },
  model: {
    kind: { type: 'text', path: 'file' },
    jobs: ['data', 'new', 'report'],
    only: 'command line',
    group: network,
    help: 'ONNX or .ttq file that the data are for: whether they fit, and what it gets',
    at: {
      new: { help: 'loader: the ONNX file that the loader module is for' },
      report: { group: output, help: 'the .ttq file of that compression: the page then shows the kernels in it' },
    },
  },
  externalData: {
    kind: { type: 'text', path: 'folder' },
    jobs: [
      'compress',
      'train',
      'sweep',
      'analyze',
      'evaluate',
      'inspect',
      'predict',
      'verify',
      'diff',
      'data',
      'new',
      'init',
    ],
    only: 'command line',
    group: network,
    help: "folder with the network's external data files, for a network from a pipe above all",
    defaultText: "the network's own folder",
  },
} as const satisfies Record<string, OptionRow>

export const MEASURING_OPTIONS = {
  /**
   * Samples that layers are fitted on without training; where the data have classes, analyze measures on as many
   * others.
   */
  samples: {
    kind: { type: 'number', range: { from: 1, to: 1_000_000, whole: true } },
    jobs: ['analyze', 'compress', 'sweep'],
    default: { base: 1024 },
    group: 'Measuring:',
    help:
      'samples that layers are fitted on: of --data, else synthetic ones; with classes, as many others measure ' +
      'them',
    at: {
      compress: {
        group: 'Layer by layer:',
        help: 'samples that layers are fitted on without training: of --data with --epochs 0, else synthetic ones',
      },
      sweep: { group: 'Layer by layer:', help: 'samples that layers are fitted on with --epochs 0' },
    },
  },
} as const satisfies Record<string, OptionRow>

export const RESULT_OPTIONS = {
  output: {
    kind: { type: 'text', path: 'file', words: ['-'] },
    jobs: ['compress', 'train', 'sweep', 'unpack', 'new', 'init', 'report', 'compare', 'predict'],
    only: 'command line',
    alias: 'o',
    group: output,
    help: 'the .ttq file, - for stdout',
    defaultText: "the model's name with .ttq, in the working directory",
    at: {
      train: {
        help: 'the trained ONNX file, - for stdout',
        defaultText: "the model's name with .trained.onnx, in the working directory",
      },
      sweep: {
        help: 'the table as CSV, written anew after each point',
        defaultText: "the model's name with .csv, in the working directory",
      },
      unpack: {
        help: 'the unpacked file, - for stdout',
        defaultText: "the model's name with .onnx or the form's ending, in the working directory",
      },
      init: { help: 'the config file, by its ending: .yaml, .json, .mjs, .ts, ...', defaultText: 'ttq.config.yaml' },
      new: {
        help: 'the ONNX file, - for stdout',
        defaultText: "the network's name with .onnx, in the working directory",
      },
      report: {
        help: 'the page: .html or .md, - for HTML on stdout',
        defaultText: "the report's name with .html, in the working directory",
      },
      predict: { help: 'all outputs as an .npz file, - for stdout', defaultText: 'none' },
      compare: {
        help: 'write the comparison to this file, too: .html, .md or .json',
        defaultText: 'none',
      },
    },
  },
  /** Percent that the second of two files may be larger than the first. */
  maxGrowth: {
    kind: { type: 'number', range: {} },
    jobs: ['diff'],
    group: output,
    help: 'percent that the second file may be larger; exit code 4 when it is larger by more',
  },
  same: {
    kind: { type: 'flag' },
    jobs: ['diff'],
    default: { base: false },
    group: output,
    help: 'exit code 4 where the networks differ: in the graph, or in a bit of a tensor',
  },
  /** Shows the plan and does nothing. */
  dryRun: {
    kind: { type: 'flag' },
    jobs: ['compress'],
    only: 'command line',
    group: output,
    help: 'show the plan (ttq plan) and do nothing',
  },
  as: {
    kind: { type: 'choice', choices: UNPACKED_FORMS },
    jobs: ['unpack'],
    only: 'command line',
    default: { base: 'dense' },
    group: output,
    help:
      'dense: plain ONNX; packed: ONNX that stays small; c: header for C; npz, safetensors: codes and scales for ' +
      'Python',
  },
  /** Notes of the exporter in nodes, values and graphs. */
  keepMetadata: {
    kind: { type: 'flag' },
    jobs: ['compress', 'train', 'sweep'],
    default: { base: false },
    fingerprint: 'covered',
    group: output,
    help:
      "keep what the exporter noted in nodes and values (stack traces, paths); the model's own metadata always " +
      'stay',
  },
  /** Names of values that nothing outside the network needs. */
  keepNames: {
    kind: { type: 'flag' },
    jobs: ['compress', 'sweep'],
    default: { base: false },
    fingerprint: 'covered',
    group: output,
    help:
      "keep the names of weights, intermediate values and nodes; the network's inputs and outputs always keep " +
      'theirs',
  },
  figure: {
    kind: { type: 'text', path: 'file' },
    jobs: ['sweep'],
    only: 'command line',
    group: output,
    help: 'the figure as SVG, written anew after each point',
    defaultText: "the table's name with .svg",
  },
  keepFiles: {
    kind: { type: 'text', path: 'folder' },
    jobs: ['sweep'],
    only: 'command line',
    group: output,
    help: 'keep the .ttq file of each point in this folder',
  },
  force: {
    kind: { type: 'flag' },
    jobs: ALL,
    only: 'command line',
    perCall: true,
    group: output,
    help: 'replace files that exist',
  },
  report: {
    kind: { type: 'paths' },
    jobs: REPORTING,
    only: 'command line',
    group: output,
    help: 'write the report as JSON to this file, too',
    at: Object.fromEntries(
      WITH_PAGES.map((job) => [
        job,
        { help: 'write the report to this file, too: .html (a page), .md or .json; may be given several times' },
      ]),
    ),
  },
  /** What a page shows beyond the figures of a report: histograms, scales by epoch, kernels, samples as pictures. */
  details: {
    kind: { type: 'flag' },
    jobs: ['compress', 'train', 'evaluate'],
    only: 'library',
    default: { base: false },
    fingerprint: 'covered',
    group: output,
    help: 'put into the report what pages draw: histograms, scales by epoch, kernels, misjudged samples as pictures',
  },
  json: {
    kind: { type: 'flag' },
    jobs: ALL,
    only: 'command line',
    perCall: true,
    group: output,
    help: 'print one JSON document on stdout and nothing else',
  },
  quiet: {
    kind: { type: 'flag' },
    jobs: ALL,
    only: 'command line',
    perCall: true,
    alias: 'q',
    group: output,
    help: 'nothing but errors on stderr',
  },
  debug: {
    kind: { type: 'flag' },
    jobs: ALL,
    only: 'command line',
    perCall: true,
    group: output,
    help: 'show the stack of an error',
  },
} as const satisfies Record<string, OptionRow>

export const ACCURACY_OPTIONS = {
  /** What the network is known to reach, percent: the baseline must be within `tolerance` points of it. */
  expectTop1: {
    kind: { type: 'number', range: { from: 0, to: 100 } },
    jobs: ['compress', 'sweep', 'evaluate'],
    needsData: true,
    fingerprint: 'idle',
    group: accuracy,
    help: "stop before training where the original's top-1 is not this, percent: wrong preprocessing passes in silence",
    at: { evaluate: { help: 'fail where the top-1 is not this, percent' } },
  },
  /** The same of the main metric of any task, in its own unit. */
  expectScore: {
    kind: { type: 'number', range: {} },
    jobs: ['compress', 'sweep', 'evaluate'],
    needsData: true,
    fingerprint: 'idle',
    group: accuracy,
    help: "the same for the main metric of any task: the original's mIoU, perplexity, R2, ...",
  },
  /** Train a network that decides no better than chance. */
  anyway: {
    kind: { type: 'flag' },
    jobs: ['compress', 'sweep'],
    default: { base: false },
    needsData: true,
    fingerprint: 'idle',
    group: accuracy,
    help: 'train although the original is no better than chance on this data',
  },
  tolerance: {
    kind: { type: 'number', range: { from: 0, to: 100 } },
    jobs: ['compress', 'sweep', 'evaluate'],
    default: { base: 0.5 },
    needsData: true,
    fingerprint: 'idle',
    group: accuracy,
    help: 'points by which --expect-top1 (or --expect-score, in its unit) may be missed',
  },
  /**
   * Points that the main metric on the test set may get worse by, where it is a percentage; without labels, percent of
   * the decisions that may change.
   */
  maxDrop: {
    kind: { type: 'number', range: { from: 0, to: 100 } },
    jobs: ['compress', 'verify'],
    needsData: true,
    group: accuracy,
    help: 'points that accuracy may fall by; exit code 4 when it falls by more',
  },
  /** Without training: percent (root mean square) that the outputs may be away from the original's. */
  maxDistance: {
    kind: { type: 'number', range: { above: 0, to: 1000 } },
    jobs: ['compress', 'verify'],
    at: { verify: { help: 'percent that the outputs may differ by; exit code 4 when they differ by more' } },
    group: accuracy,
    help:
      'without training: percent that the outputs may differ by; layers that lose most for what they save keep more ' +
      'bits; exit code 4 when it cannot be held',
  },
  /** Without training: bytes that the packed file may have, or how many times smaller it has to be. */
  maxSize: {
    kind: { type: 'size' },
    jobs: ['compress'],
    group: accuracy,
    help:
      'without training: what the file may take, as 50kB or 16x; the layers that lose most keep more bits as long as ' +
      'there is room; exit code 4 when all ternary is too large',
  },
  /** What to do when it falls by more: return the most harmful layers to 8 bits, or nothing. */
  maxDropAction: {
    kind: { type: 'choice', choices: ['restore', 'fail'] },
    jobs: ['compress'],
    default: { base: 'restore' },
    needsData: true,
    group: accuracy,
    help: 'restore: return the most harmful layers to 8 bits until --max-drop holds; fail: only check',
  },
  /** Refuse data whose test samples have no labels, for callers that are about accuracy. */
  needsAccuracy: {
    kind: { type: 'flag' },
    jobs: ['compress'],
    default: { base: false },
    only: 'library',
    group: accuracy,
    help: 'refuse data whose test samples have no labels',
  },
} as const satisfies Record<string, OptionRow>
