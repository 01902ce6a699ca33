// What compress does where nothing is said. Kept apart so that a help text can show it without loading the program.
import type { CompressOptions } from './compress-options.js'

/** Adam's steps have the size of the rate, whatever the gradient. */
export const FINE_TUNING_RATES = {
  sgd: { learningRate: 0.005, scaleLearningRate: 0.01 },
  adam: { learningRate: 0.001, scaleLearningRate: 0.001 },
} as const

/** Tuned on CIFAR-10 ResNet-20; every part but the strings is a number in the unit that CompressOptions names. */
export const COMPRESS_DEFAULTS = {
  method: 'ttq',
  compare: [],
  rest: 'fp32',
  renormalize: 'auto',
  keep: [],
  ternary: [],
  recipe: 'default',
  fromScratch: false,
  unlabelled: false,
  scaleStart: 'fit',
  latentSteps: 'he',
  needsAccuracy: false,
  epochs: 8,
  batch: 128,
  optimizer: 'adam',
  ...FINE_TUNING_RATES.adam,
  schedule: 'cosine',
  drops: [0.5, 0.75],
  warmup: 50,
  weightDecay: 5e-3,
  labelSmoothing: 0,
  distill: 0.7,
  temperature: 8,
  augment: true,
  seed: 1,
  threads: 0,
  device: 'cpu',
  validation: 2000,
  maxDropAction: 'restore',
} as const satisfies Partial<CompressOptions>
