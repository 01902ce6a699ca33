// What ttq train does where nothing is said. Kept apart so that a help text can show it without loading the program.
import type { TrainingOptions } from './training-options.js'

export const TRAIN_RATES = { sgd: { learningRate: 0.1 }, adam: { learningRate: 0.001 } } as const

/**
 * For training from random weights. Rate, momentum, weight decay and batch are those of He et al. (2016, arXiv
 * 1512.03385, section 4.2) for ResNets on CIFAR-10, with a cosine in the place of their drops.
 */
export const TRAIN_DEFAULTS = {
  epochs: 20,
  batch: 128,
  optimizer: 'sgd',
  learningRate: TRAIN_RATES.sgd.learningRate,
  schedule: 'cosine',
  drops: [0.5, 0.75],
  warmup: 100,
  weightDecay: 1e-4,
  labelSmoothing: 0,
  augment: true,
  seed: 1,
  threads: 0,
  device: 'cpu',
  validation: 2000,
} as const satisfies TrainingOptions
