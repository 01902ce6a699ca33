// The options that say how a network is trained; compress and train have them, with defaults of their own.
import { DEVICES, DEVICES_TEXT } from '../runtime/device.js'
import { RATE_BATCH } from '../options/rate-for-batch.js'
import type { TrainingOptions } from '../options/training-options.js'
import type { Arguments, OptionSpec } from './command.js'
import { choiceOption, flagOption, given, numberOption, numbersOption } from './option-values.js'

export const TRAINING_GROUP = 'Training:'
const group = TRAINING_GROUP

type OptimizerName = TrainingOptions['optimizer']
type Rates<Name extends string> = Readonly<Record<OptimizerName, Readonly<Record<Name, number>>>>

/**
 * @param defaults what help shows
 * @param rates what of it goes with the optimizer
 * @param rate what help says of the learning rate
 */
export function trainingOptions(
  defaults: TrainingOptions,
  rates: Rates<'learningRate'>,
  rate = 'highest learning rate of the weights',
) {
  return {
    epochs: { group, describe: 'passes over the training data', default: defaults.epochs },
    batch: { group, describe: 'samples per step', default: defaults.batch },
    optimizer: { group, describe: 'sgd (momentum 0.9) or adam (decoupled weight decay)', default: defaults.optimizer },
    'learning-rate': { group, describe: rate, default: rateText('learningRate', rates, defaults) },
    schedule: {
      group,
      describe: 'course of the learning rate: cosine (to zero), step (a tenth at each of --drops) or constant',
      default: defaults.schedule,
    },
    drops: { group, describe: 'for --schedule step: shares of the training', default: defaults.drops.join(',') },
    warmup: {
      group,
      describe: 'steps over which the learning rate rises, at most a fifth of all',
      default: defaults.warmup,
    },
    'weight-decay': { group, describe: 'weight decay, never on Wp and Wn', default: defaults.weightDecay },
    'label-smoothing': {
      group,
      describe: 'share of each label spread over all classes',
      default: defaults.labelSmoothing,
    },
    'clip-norm': { group, describe: 'scale gradients down to this norm, over all parameters', default: 'off' },
    augment: { group, describe: 'crop and mirror training images (--no-augment: not)', flag: true, default: 'on' },
    validation: {
      group,
      describe: 'samples held out to choose the best epoch, at most a tenth',
      default: defaults.validation,
    },
    seed: { group, describe: 'seed of all chance; equal seeds and threads give equal files', default: defaults.seed },
    threads: {
      group,
      describe: 'worker threads, 0 = one per core (one in all for another device than cpu)',
      default: defaults.threads,
    },
    device: { group, describe: DEVICES_TEXT, default: defaults.device },
  } as const satisfies Record<string, OptionSpec>
}

/** A learning rate by optimizer, the default one's first, as help shows it. */
export function rateText<Name extends string>(
  name: Name,
  rates: Rates<Name>,
  { optimizer }: Pick<TrainingOptions, 'optimizer'>,
): string {
  const other = optimizer === 'sgd' ? 'adam' : 'sgd'
  const text = (of: OptimizerName): string =>
    `${rates[of][name]}${of === 'sgd' ? ` (less for a batch below ${RATE_BATCH})` : ''}`
  return `${text(optimizer)}, with ${other} ${text(other)}`
}

/** What was given of them. @throws TtqError `usage` */
export function readTrainingOptions(args: Arguments): Partial<TrainingOptions> {
  return given({
    epochs: numberOption(args, 'epochs', { from: 1, to: 100_000, whole: true }),
    batch: numberOption(args, 'batch', { from: 1, to: 65_536, whole: true }),
    optimizer: choiceOption(args, 'optimizer', ['sgd', 'adam']),
    learningRate: numberOption(args, 'learning-rate', { above: 0, to: 10 }),
    schedule: choiceOption(args, 'schedule', ['cosine', 'step', 'constant']),
    drops: numbersOption(args, 'drops', { above: 0, below: 1 }),
    warmup: numberOption(args, 'warmup', { from: 0, whole: true }),
    weightDecay: numberOption(args, 'weight-decay', { from: 0, to: 1 }),
    labelSmoothing: numberOption(args, 'label-smoothing', { from: 0, below: 1 }),
    clipNorm: numberOption(args, 'clip-norm', { above: 0 }),
    augment: flagOption(args, 'augment'),
    validation: numberOption(args, 'validation', { from: 1, whole: true }),
    seed: numberOption(args, 'seed', { from: 0, to: 4_294_967_295, whole: true }),
    threads: numberOption(args, 'threads', { from: 0, to: 1024, whole: true }),
    device: choiceOption(args, 'device', DEVICES),
  })
}
