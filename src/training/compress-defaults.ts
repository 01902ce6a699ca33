// What compress does where nothing is said. Kept apart so that a help text can show it without loading the program.
import type { CompressOptions } from './compress-options.js'

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
  epochs: 4,
  batch: 128,
  optimizer: 'sgd',
  learningRate: 0.05,
  scaleLearningRate: 0.01,
  schedule: 'cosine',
  drops: [0.5, 0.75],
  warmup: 50,
  weightDecay: 1e-4,
  labelSmoothing: 0,
  distill: 0.7,
  temperature: 4,
  augment: true,
  seed: 1,
  threads: 0,
  device: 'cpu',
  validation: 5000,
  maxDropAction: 'restore',
} as const satisfies Partial<CompressOptions>
