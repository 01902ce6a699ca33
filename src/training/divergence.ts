// When a training is on its way to infinity.
import { TtqError } from '../errors/ttq-error.js'
import type { NotFinite } from '../binding/evaluate.js'
import type { LoopOptions, StepPlace } from './loop-options.js'
import type { TrainedValues } from './trained-values.js'

/** A loss this many times the first one (or 1, if that is less) is on its way to infinity. */
const DIVERGED = 1000

const LOWER = 'a lower --learning-rate or a longer --warmup keeps training from diverging'

/**
 * Looks at every step's loss, the first one first. @returns the loss
 * @throws TtqError `training`
 */
export function lossCheck(options: LoopOptions): (loss: number, epoch: number, step: number) => number {
  let limit: number | undefined
  return (loss, epoch, step) => {
    limit ??= DIVERGED * Math.max(1, loss)
    if (loss < limit) return loss
    const expected = Number.isFinite(loss) ? `less than ${DIVERGED} times the first one` : 'a finite number'
    throw diverged(`the loss is ${loss}`, expected, { epoch, step }, options)
  }
}

/** A loss is that of the values before its step: the last step's are seen here. @throws TtqError `training` */
export function checkValues({ values }: TrainedValues, { epoch, step }: StepPlace, options: LoopOptions): void {
  for (const [name, value] of values) {
    if (!value.every(Number.isFinite))
      throw diverged(`"${name}" has values that are not finite`, 'finite ones', { epoch, step }, options)
  }
}

/** Of what it has come to, the outputs are not finite where the original network's are. */
export function divergedOutputs(
  { found, facts }: NotFinite,
  at: StepPlace,
  { recovery }: Pick<LoopOptions, 'recovery'>,
): TtqError {
  const isStart = at.epoch === 0
  if (!isStart) recovery?.diverged(at)
  const when = isStart ? 'before its first step' : `at epoch ${at.epoch}, step ${at.step}`
  return new TtqError(
    'training',
    `training diverged ${when}: of the held-out samples, ${found}, expected finite ones as the original network's`,
    {
      hint: isStart
        ? 'layers are fitted to training samples: ttq data shows whether some have extreme values'
        : `${LOWER}, unless some samples have extreme values (ttq data shows them)`,
      facts: { ...facts, ...at },
    },
  )
}

function diverged(found: string, expected: string, at: StepPlace, { recovery }: LoopOptions): TtqError {
  recovery?.diverged(at)
  return new TtqError('training', `training: ${found} at epoch ${at.epoch}, step ${at.step}, expected ${expected}`, {
    hint: LOWER,
    facts: { ...at },
  })
}
