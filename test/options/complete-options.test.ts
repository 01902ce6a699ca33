// From what is given to the options that hold: precedence, and combinations that are refused.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TtqError } from '../../src/errors/ttq-error.js'
import { COMPRESS_DEFAULTS, completeOptions, TRAIN_DEFAULTS } from '../../src/options/complete-options.js'
import type { Kind } from '../../src/options/option.js'
import { parseValue } from '../../src/options/option-values.js'
import { type GivenOptions, onCommandLine, type OptionsOf, optionsOf } from '../../src/options/option-table.js'

type Given = GivenOptions<'compress'>

const complete = (given: Given): OptionsOf<'compress'> =>
  completeOptions('compress', { data: 'mnist', ...given }, onCommandLine)

describe('completeOptions', () => {
  test('nothing given: the defaults', () => {
    assert.deepEqual(completeOptions('compress', {}), COMPRESS_DEFAULTS)
    assert.deepEqual(completeOptions('train', { data: 'mnist' }), { ...TRAIN_DEFAULTS, data: 'mnist' })
    assert.equal(COMPRESS_DEFAULTS.learningRate, 0.001)
    assert.deepEqual([TRAIN_DEFAULTS.learningRate, TRAIN_DEFAULTS.optimizer, TRAIN_DEFAULTS.warmup], [0.1, 'sgd', 100])
  })

  test('symbols and the like are refused as anything else', () => {
    for (const [value, found] of [
      [Symbol('x'), 'Symbol(x)'],
      [1n, '1n'],
      [Object.create(null), 'an object'],
    ] as [unknown, string][])
      assert.throws(() => completeOptions('compress', { data: value } as never), {
        code: 'usage',
        message: `data: found ${found}, expected text`,
      })
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
    'a short training': [
      { recipe: 'quick' },
      { epochs: 3, latentStart: 'auto', learningRate: 0.002, distill: 0.7, distillEnd: undefined, teachers: ['auto'] },
    ],
    'a short one with another optimizer, and a teacher of its own': [
      { recipe: 'quick', optimizer: 'sgd', teachers: ['original'] },
      { epochs: 3, learningRate: 0.005, teachers: ['original'] },
    ],
    'a short one by labels alone': [{ recipe: 'quick', distill: 0 }, { teachers: undefined }],
    'a short one from scratch': [
      { recipe: 'quick', fromScratch: true },
      { epochs: 3, distill: 0, teachers: undefined },
    ],
    'a short one without labels': [
      { recipe: 'quick', unlabelled: true },
      { distill: 1, teachers: ['auto'] },
    ],
    'a long one, in which the share of distillation falls': [
      { recipe: 'thorough' },
      { epochs: 40, latentStart: 'auto', distill: 0.7, distillEnd: 0.2, optimizer: 'adam' },
    ],
    'a long one with a share that is lower already': [
      { recipe: 'thorough', distill: 0.1 },
      { distill: 0.1, distillEnd: undefined },
    ],
    'a long one without labels': [
      { recipe: 'thorough', unlabelled: true },
      { epochs: 40, distill: 1, distillEnd: undefined },
    ],
    'a long one from scratch': [
      { recipe: 'thorough', fromScratch: true },
      { epochs: 40, distill: 0, distillEnd: undefined, optimizer: 'sgd' },
    ],
    'distillation from nothing, and at the end': [
      { distill: 0, distillEnd: 0.5, teachers: ['original'] },
      { distill: 0, distillEnd: 0.5 },
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
    'from scratch, from another network': [
      { fromScratch: true, teachers: ['original'], distill: 0.5 },
      { distill: 0.5, learningRate: 0.1 },
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
    'a share at the end without labels': [
      { unlabelled: true, distillEnd: 0.5 },
      /^--distill-end: found "0.5" together with --unlabelled, expected 1/,
    ],
    'a share at the end from nothing': [
      { fromScratch: true, distillEnd: 0.5 },
      /^--distill-end: given together with --from-scratch; random weights/,
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
    'teachers without a share of the loss': [
      { teachers: ['mirrored'], distill: 0 },
      /^--teacher: given where --distill is 0, expected a share of the loss that they have$/,
    ],
    'teachers with a recipe that has none': [
      { teachers: ['mirrored'], recipe: 'paper' },
      /^--teacher: given where --distill is 0/,
    ],
    'teachers without data': [
      { teachers: ['mirrored'], data: undefined },
      /^--teacher: given without --data, expected a dataset to train on$/,
    ],
    'teachers without training': [
      { teachers: ['mirrored'], epochs: 0 },
      /^--teacher: given with --epochs 0, which trains nothing$/,
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

  const senseless: Record<string, [given: object, message: string]> = {
    'fewer than no epochs': [{ epochs: -1 }, 'epochs: found -1, expected a whole number from 0 to 100000'],
    'half an epoch': [{ epochs: 0.5 }, 'epochs: found 0.5, expected a whole number from 0 to 100000'],
    'no samples': [{ batch: 0 }, 'batch: found 0, expected a whole number from 1 to 65536'],
    'fewer than no threads': [{ threads: -1 }, 'threads: found -1, expected a whole number from 0 to 256'],
    'more than all of the loss': [{ distill: 2 }, 'distill: found 2, expected a number from 0 to 1'],
    'drops behind the end': [{ drops: [5], schedule: 'step' }, 'drops: found 5, expected a number above 0 to below 1'],
    'drops that fall': [{ drops: [0.7, 0.5], schedule: 'step' }, 'drops: found 0.5 behind 0.7, expected rising shares'],
    'an unknown optimizer': [{ optimizer: 'lion' }, 'optimizer: found "lion", expected sgd or adam'],
    'an unknown method': [{ method: 'none' }, 'method: found "none", expected ttq, twn, bwn or dorefa'],
    'a word that is gone': [{ renormalize: 'on' }, 'renormalize: found "on", expected auto or off'],
    'a number that is none': [{ learningRate: NaN }, 'learningRate: found NaN, expected a number above 0 to 10'],
    'text for a number': [{ epochs: '8' }, 'epochs: found "8", expected a whole number from 0 to 100000'],
    null: [{ seed: null }, 'seed: found null, expected a whole number from 0 to 4294967295'],
    'two rules for zeros': [
      { threshold: 0.1, sparsity: 0.5 },
      'threshold: given together with sparsity; each of them decides which weights become 0',
    ],
    'a bound for random weights': [
      { fromScratch: true, maxDrop: 1 },
      'maxDrop: given together with fromScratch; random weights have no accuracy to fall from',
    ],
    'zeros of a method without': [
      { method: 'bwn', sparsity: 0.5 },
      'sparsity: given with method bwn, which chooses the zeros itself',
    ],
    'an unknown option': [{ epohcs: 3 }, 'compress: unknown option epohcs'],
    "another job's option": [{ thresholds: [0.1] }, 'compress: unknown option thresholds'],
    "the command line's option": [{ force: true }, 'compress: unknown option force'],
    'training without data': [
      { data: undefined, epochs: 3 },
      'epochs: given without data, expected a dataset to train on',
    ],
    'mean without std': [{ mean: [0.5] }, 'mean: given without std, expected both'],
  }
  for (const [name, [given, message]] of Object.entries(senseless)) {
    test(`refused, in the library's words: ${name}`, () => {
      assert.throws(() => completeOptions('compress', { data: 'mnist', ...given }), { code: 'usage', message })
    })
  }

  test('a misspelt option is told the nearest one, in the words of the caller', () => {
    assert.throws(() => completeOptions('compress', { epohcs: 3 } as object), { hint: 'did you mean epochs?' })
    assert.throws(() => completeOptions('compress', { learningrate: 3 } as object, onCommandLine), {
      hint: 'did you mean --learning-rate?',
    })
    assert.throws(() => completeOptions('new', { constructor: 3 } as object), { hint: /^the options are / })
  })

  test('data that a job cannot do without', () => {
    for (const job of ['train', 'sweep', 'evaluate'] as const)
      assert.throws(() => completeOptions(job, {}), { message: `${job}: no dataset given, expected data and one` })
  })
})

// Something outside of what a kind takes, on every side that has an end.
const OUTSIDE: { [T in Kind['type']]: (kind: Extract<Kind, { type: T }>) => unknown[] } = {
  number: ({ range }) => [...beyond(range), 'x', NaN, Infinity, true, [1], null],
  numbers: ({ range }) => [...beyond(range).map((value) => [value]), [], 1, ['x'], [undefined], null],
  size: () => [0, -1, 1.5, NaN, Infinity, '16', '0x', 'x', '-2x', '16 x', null, [1]],
  choice: () => ['nothing of the kind', 7.5, null, ['sgd']],
  choices: () => [['nothing of the kind'], 'ttq', null],
  flag: () => ['true', 1, null],
  text: () => ['', 1, null],
  texts: () => ['', [''], [1], null],
  paths: () => ['', [''], [1], null],
  networks: () => ['original', ['nothing of the kind'], [1], [{ name: 'a' }], [{ bytes: Uint8Array.of(1) }], null],
}

// The same as it stands on a command line; a flag has no text, and any text is one.
const TEXTS: { [T in Kind['type']]: (kind: Extract<Kind, { type: T }>) => (string | string[])[] } = {
  number: ({ range }) => ['', ' ', 'x', 'NaN', 'Infinity', '0x10', '1,2', '1e', ...beyond(range).map(String)],
  numbers: ({ range }) => ['', '1,,2', 'x', ...beyond(range).map(String)],
  size: () => ['', '0', '-5', 'x', '0x', '16y', '5 tons', '1e3', '0.2'],
  choice: () => ['', 'nothing of the kind', 'constructor'],
  choices: () => [[''], ['nothing of the kind'], ['ttq,'], ['__proto__']],
  flag: () => [],
  text: () => [''],
  texts: () => [[''], ['a,']],
  paths: () => [[''], ['a', '']],
  networks: () => [],
}

function beyond({ from, above, to, below, whole }: Extract<Kind, { type: 'number' }>['range']): number[] {
  return [
    from === undefined ? [] : [from - 1],
    above === undefined ? [] : [above],
    to === undefined ? [] : [to + 1],
    below === undefined ? [] : [below],
    whole === true ? [1.5] : [],
  ].flat()
}

describe('every option of every job refuses what it does not take', () => {
  for (const job of ['compress', 'train', 'sweep', 'analyze', 'evaluate', 'new'] as const) {
    for (const [name, { kind, only }] of optionsOf(job)) {
      if (only === 'command line') continue
      test(`${job}: ${name}`, () => {
        const outside = (OUTSIDE[kind.type] as (kind: Kind) => unknown[])(kind)
        assert.ok(outside.length > 2)
        const refuses = (work: () => unknown, shown: string, value: unknown): void => {
          assert.throws(
            work,
            (error: unknown) =>
              error instanceof TtqError &&
              error.code === 'usage' &&
              error.message.startsWith(`${shown}: found `) &&
              error.message.includes(', expected '),
            `${shown}: ${String(value)}`,
          )
        }
        for (const value of outside) {
          const given = { ...(job === 'new' ? {} : { data: 'mnist' }), [name]: value }
          refuses(() => completeOptions(job, given, onCommandLine), onCommandLine(name), value)
          refuses(() => completeOptions(job, given), name, value)
        }
        for (const text of TEXTS[kind.type](kind as never))
          refuses(() => parseValue(onCommandLine(name), kind, text), onCommandLine(name), text)
      })
    }
  }
})
