// From what is given to the options that hold: precedence, and combinations that are refused.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TtqError } from '../../src/errors/ttq-error.js'
import { COMPRESS_DEFAULTS } from '../../src/options/compress-defaults.js'
import { completeOptions, type CompressRequest } from '../../src/options/recipes.js'

type Given = Omit<CompressRequest, 'name'>

const complete = (given: Given): ReturnType<typeof completeOptions> =>
  completeOptions({ name: 'm.onnx', data: 'mnist', ...given })

describe('completeOptions', () => {
  test('nothing given: the defaults', () => {
    assert.deepEqual(completeOptions({ name: 'm.onnx' }), { ...COMPRESS_DEFAULTS, name: 'm.onnx' })
  })

  const cases: Record<string, [given: Given, expected: Given]> = {
    "the paper's settings": [
      { recipe: 'paper' },
      {
        optimizer: 'sgd',
        threshold: 0.05,
        scaleStart: 'one',
        learningRate: 0.1,
        scaleLearningRate: 0.1,
        schedule: 'step',
        drops: [0.205, 0.3075, 0.75],
        weightDecay: 2e-4,
        distill: 0,
        epochs: 400,
        warmup: 0,
      },
    ],
    'what is given goes before the recipe': [
      { recipe: 'paper', epochs: 3, distill: 0.5, threshold: 0.1 },
      { epochs: 3, distill: 0.5, threshold: 0.1, learningRate: 0.1 },
    ],
    "a sparsity takes the place of the recipe's threshold": [
      { recipe: 'paper', sparsity: 0.4 },
      { sparsity: 0.4, threshold: undefined },
    ],
    'another schedule with the recipe': [
      { recipe: 'paper', schedule: 'cosine' },
      { schedule: 'cosine', learningRate: 0.1 },
    ],
    'sgd has rates of its own': [
      { optimizer: 'sgd' },
      { optimizer: 'sgd', learningRate: 0.005, scaleLearningRate: 0.01, epochs: 8 },
    ],
    'adam has rates of its own': [
      { optimizer: 'adam' },
      { optimizer: 'adam', learningRate: 0.001, scaleLearningRate: 0.001, epochs: 8 },
    ],
    "adam's rates go before those of the recipe, which are SGD's": [
      { optimizer: 'adam', recipe: 'paper' },
      { optimizer: 'adam', learningRate: 0.001, scaleLearningRate: 0.001, weightDecay: 2e-4 },
    ],
    'a rate given goes before all others': [
      { optimizer: 'adam', recipe: 'paper', learningRate: 0.5 },
      { learningRate: 0.5, scaleLearningRate: 0.001 },
    ],
    'from scratch: no distillation, larger steps': [
      { fromScratch: true },
      {
        optimizer: 'sgd',
        distill: 0,
        epochs: 20,
        learningRate: 0.1,
        scaleLearningRate: 0.01,
        weightDecay: 1e-4,
        latentSteps: 'he',
      },
    ],
    'from scratch with adam': [
      { fromScratch: true, optimizer: 'adam' },
      { distill: 0, epochs: 20, learningRate: 0.004, scaleLearningRate: 0.001, latentSteps: 'he' },
    ],
    'from scratch as the paper': [
      { fromScratch: true, recipe: 'paper' },
      { optimizer: 'sgd', distill: 0, epochs: 400, learningRate: 0.1, scaleStart: 'one', latentSteps: 'plain' },
    ],
    'smaller batches, smaller steps': [
      { batch: 32, optimizer: 'sgd' },
      { learningRate: 0.00125, scaleLearningRate: 0.0025 },
    ],
    'but not smaller than what is given': [
      { batch: 32, optimizer: 'sgd', learningRate: 0.1, scaleLearningRate: 0.02 },
      { learningRate: 0.1, scaleLearningRate: 0.02 },
    ],
    'and not with adam': [{ batch: 32 }, { learningRate: 0.001, scaleLearningRate: 0.001 }],
    'larger batches': [
      { batch: 512, optimizer: 'sgd' },
      { learningRate: 0.005, scaleLearningRate: 0.01 },
    ],
    'without labels: distillation alone': [{ unlabelled: true }, { distill: 1 }],
    'without labels, whatever the recipe': [
      { unlabelled: true, recipe: 'paper' },
      { distill: 1, threshold: 0.05 },
    ],
  }
  for (const [name, [given, expected]] of Object.entries(cases)) {
    test(name, () => {
      const options = complete(given)
      const found = Object.fromEntries(Object.keys(expected).map((key) => [key, options[key as keyof typeof options]]))
      assert.deepEqual(found, expected)
    })
  }

  const refused: Record<string, [given: Given, message: RegExp]> = {
    'the recipe with another method': [
      { recipe: 'paper', method: 'twn' },
      /^--recipe: given as paper with --method twn/,
    ],
    'drops without their schedule': [
      { drops: [0.5] },
      /^--drops: given with --schedule cosine, expected --schedule step$/,
    ],
    'drops and another schedule': [
      { drops: [0.5], schedule: 'constant', recipe: 'paper' },
      /^--drops: given with --schedule constant/,
    ],
    'from scratch without data': [{ fromScratch: true, data: undefined }, /^--from-scratch: given without --data/],
    'from scratch with distillation from nothing': [
      { fromScratch: true, distill: 0.7 },
      /^--distill: given together with --from-scratch; random weights/,
    ],
    'from scratch without labels': [
      { fromScratch: true, unlabelled: true },
      /^--unlabelled: given together with --from-scratch/,
    ],
    'no labels, but a share of the loss for them': [
      { unlabelled: true, distill: 0.9 },
      /^--distill: found "0.9" together with --unlabelled, expected 1/,
    ],
    'no labels to smooth': [
      { unlabelled: true, labelSmoothing: 0.1 },
      /^--label-smoothing: given where no label is used/,
    ],
    'labels smoothed that nothing reads': [
      { distill: 1, labelSmoothing: 0.1 },
      /^--label-smoothing: given where no label is used/,
    ],
  }
  for (const [name, [given, message]] of Object.entries(refused)) {
    test(`refused: ${name}`, () => {
      assert.throws(
        () => complete(given),
        (error: unknown) => error instanceof TtqError && error.code === 'usage' && message.test(error.message),
      )
    })
  }
})
