// Options that say what training starts from and learns from: those before, and those after the training's own.
import { PRESET_NAMES, RECIPE_NAMES, TEACHER_WORDS } from './choices.js'
import type { OptionRow } from './option.js'
import { TRAINING_GROUP as group, TRAINING_OPTIONS } from './training-options.js'

const epochs = TRAINING_OPTIONS.epochs.default
const learningRate = TRAINING_OPTIONS.learningRate.default

const scratch = {
  epochs: epochs.fromScratch,
  optimizer: TRAINING_OPTIONS.optimizer.default.fromScratch,
  rates: learningRate.fromScratch,
  weightDecay: TRAINING_OPTIONS.weightDecay.default.fromScratch,
}

/** Of distillation, in a long training. */
const FALLS_TO = 0.2

/** Who is learned from in a short training (docs/experiments.md#a-mirrored-teacher). */
const TEACHERS = { quick: ['auto'] } as const

export const START_OPTIONS = {
  /** Where the options that are not given come from. */
  recipe: {
    kind: { type: 'choice', choices: RECIPE_NAMES },
    jobs: ['compress', 'sweep'],
    default: { base: 'default' },
    needsData: true,
    group,
    help:
      `where options not given come from: default; quick (${epochs.quick} epochs, learning rate ` +
      `${learningRate.quick.adam}, --teacher auto); ` +
      `thorough (${epochs.thorough} epochs, see --distill-end); paper (as Zhu et al. trained, ${epochs.paper} epochs)`,
  },
  /** Some options together (presets.ts). */
  preset: {
    kind: { type: 'choice', choices: PRESET_NAMES },
    jobs: ['compress'],
    group,
    help: "several options at once: small (--ternary '*' --rest int8), balanced (the defaults), exact (--max-drop 0.1)",
    defaultText: 'balanced',
  },
  /** Start from fresh random weights (He, of `seed`) instead of the file's. */
  fromScratch: {
    kind: { type: 'flag' },
    jobs: ['compress', 'train'],
    default: { base: false },
    needsData: true,
    group,
    help:
      `start from fresh random weights instead of the file's: ${scratch.epochs} epochs of ${scratch.optimizer} ` +
      `without distillation, learning rate ${scratch.rates.sgd}, with adam ${scratch.rates.adam}, weight decay ` +
      `${scratch.weightDecay}`,
    at: { train: { help: "start from fresh random weights instead of the file's" } },
  },
  /**
   * Train on the samples alone, by distillation from the original network; so it is, too, where there are no labels.
   */
  unlabelled: {
    kind: { type: 'flag' },
    jobs: ['compress', 'sweep'],
    default: { base: false },
    needsData: true,
    group,
    help: 'use no labels: learn from the original network alone',
  },
} as const satisfies Record<string, OptionRow>

export const FINE_TUNING_OPTIONS = {
  /** Highest learning rate of Wp and Wn. */
  scaleLearningRate: {
    kind: { type: 'number', range: { from: 0, to: 10 } },
    jobs: ['compress', 'sweep'],
    default: { base: { sgd: 0.01, adam: 0.001 }, paper: { sgd: 0.1 } },
    needsData: true,
    setting: 'ternary',
    fingerprint: 'against divergence',
    group,
    help: 'highest learning rate of Wp and Wn',
  },
  /** Wp and Wn before the first step: what fits the weights best, or 1 where a batch norm follows the layer. */
  scaleStart: {
    kind: { type: 'choice', choices: ['fit', 'one'] },
    jobs: ['compress', 'sweep'],
    default: { base: 'fit', paper: 'one' },
    only: 'library',
    setting: 'ternary',
    group,
    help: 'Wp and Wn before the first step',
  },
  /**
   * What `ttq` starts from: the network's weights, or layers that were fitted one by one to its outputs on `samples`.
   * `auto`: the latter where steps are too few to make up for what rounding the weights loses (docs/experiments.md).
   */
  latentStart: {
    kind: { type: 'choice', choices: ['auto', 'weights', 'layers'] },
    jobs: ['compress'],
    default: { base: 'auto', paper: 'weights' },
    only: 'library',
    setting: 'ternary',
    group,
    help: 'what ternary weights start from',
  },
  /**
   * The learning rate of latent weights: the one that everything else has, or times what makes steps as large as those
   * of He-initialised full-precision weights (optimizer/he-steps.ts).
   */
  latentSteps: {
    kind: { type: 'choice', choices: ['plain', 'he'] },
    jobs: ['compress', 'sweep'],
    default: { base: 'he', paper: 'plain' },
    only: 'library',
    setting: 'ternary',
    group,
    help: 'the learning rate of latent weights',
  },
  /** Weight of the distillation term. */
  distill: {
    kind: { type: 'number', range: { from: 0, to: 1 } },
    jobs: ['compress', 'sweep'],
    default: { base: 0.7, fromScratch: 0, paper: 0 },
    needsData: true,
    setting: 'ternary',
    group,
    help: 'share of the loss that compares with the original network, 0 to 1',
  },
  /**
   * Weight of the distillation term in the last step, where it changes from that of the first; in a line from step to
   * step. (Shin et al., arXiv 1909.01688, let it fall for quantized networks.)
   */
  distillEnd: {
    kind: { type: 'number', range: { from: 0, to: 1 } },
    jobs: ['compress', 'sweep'],
    default: { thorough: FALLS_TO },
    needsData: true,
    setting: 'ternary',
    group,
    help: `what that share has become in the last step, in a line; with --recipe thorough ${FALLS_TO}`,
    defaultText: 'as --distill',
  },
  temperature: {
    kind: { type: 'number', range: { above: 0, to: 1000 } },
    jobs: ['compress', 'sweep'],
    default: { base: 8 },
    needsData: true,
    setting: 'ternary',
    group,
    help: 'softening of that comparison',
  },
  /** Networks to learn from in the place of the original; their mean, where there are several. */
  teacher: {
    kind: { type: 'paths', words: TEACHER_WORDS },
    jobs: ['compress', 'sweep'],
    default: TEACHERS,
    only: 'command line',
    needsData: true,
    setting: 'ternary',
    group,
    help:
      'learn from this ONNX file of the same classes instead of the original; original and mirrored (and its mirror ' +
      'image) are the network itself, auto is mirrored where training mirrors images; several are averaged',
    defaultText: 'original; with --recipe quick auto',
  },
  teachers: {
    kind: { type: 'networks', words: TEACHER_WORDS },
    jobs: ['compress', 'sweep'],
    default: TEACHERS,
    only: 'library',
    flag: 'teacher',
    needsData: true,
    setting: 'ternary',
    fingerprint: 'covered',
    group,
    help: 'networks to learn from instead of the original',
  },
  checkpoint: {
    kind: { type: 'text', path: 'file', words: ['off'] },
    jobs: ['compress', 'train'],
    only: 'command line',
    group,
    help:
      'file that keeps the run, written after every epoch, on Ctrl-C, and after every layer where fitting ' +
      'layers takes more than a minute; removed in the end; off for none',
    at: {
      train: {
        help: 'file that keeps the training, written after every epoch and on Ctrl-C, removed in the end; off for none',
      },
    },
    defaultText: '<output>.checkpoint',
  },
  resume: {
    kind: { type: 'flag' },
    jobs: ['compress', 'train', 'run'],
    only: 'command line',
    perCall: true,
    group,
    help:
      'go on from the checkpoint as if nothing had stopped the run; of several models, those that are done stay as ' +
      'they are',
    at: {
      train: { help: 'go on from the checkpoint as if nothing had stopped the run' },
      run: {
        group: 'Output:',
        help:
          'go on where the run was stopped: jobs whose result is there are done, others go on from their ' +
          'checkpoint',
      },
    },
  },
} as const satisfies Record<string, OptionRow>
