// Records of reports, written by hand.
import type { CompressReport } from '../../src/jobs/compress-report.js'
import type { TaskReport } from '../../src/jobs/task-report.js'
import type { TrainingSettings } from '../../src/training/training-report.js'

export const NOTHING = {
  stored: 'float32',
  bitsPerWeight: 32,
  wp: null,
  wn: null,
  threshold: null,
  zeros: null,
  positives: null,
  negatives: null,
}

export const SETTINGS: TrainingSettings = {
  batch: 128,
  optimizer: 'sgd',
  learningRate: 0.05,
  schedule: 'cosine',
  drops: [],
  warmup: 50,
  weightDecay: 1e-4,
  labelSmoothing: 0,
  augment: true,
  validation: 5000,
}

export const TOP1 = { key: 'top1', name: 'top-1', unit: '%', better: 'higher' } as const
export const TASK: TaskReport = {
  name: 'classification',
  about: '10 classes',
  outputs: ['scores'],
  notMeasured: [],
  metrics: [TOP1],
  likeness: [{ key: 'agreement', name: 'agreement', unit: '%', better: 'higher' }],
}

export const COMPRESSED: CompressReport = {
  schema: 'ttq-report/1',
  ttq: '0.1.0',
  model: 'net.onnx',
  output: 'net.ttq',
  method: 'ttq',
  rest: 'fp32',
  dataset: 'mnist',
  preprocessing: '0..1, NCHW',
  task: TASK,
  baseline: { top1: 99.1 },
  compressed: { top1: 98.85 },
  unmeasured: null,
  agreement: 98.9,
  likeness: { agreement: 98.9 },
  testedOn: null,
  recipe: 'default',
  fromScratch: false,
  unlabelled: false,
  size: {
    onnxBytes: 178_000,
    fileBytes: 21_500,
    fileRatio: 178_000 / 21_500,
    ternaryWeights: 40_000,
    ternaryFp32Bytes: 160_000,
    ternaryPackedBytes: 10_016,
    ternaryRatio: 160_000 / 10_016,
    bitsPerWeight: 2.0032,
    entropy: 1.4855,
    restValues: 4_500,
    restBytes: 11_484,
    parts: { header: 64, directory: 128, graph: 896, pool: 0, data: 20_380, digest: 32 },
  },
  options: {},
  others: [],
  layers: [
    { name: 'conv1.weight', op: 'Conv', shape: [6, 1, 5, 5], ternary: false, reason: 'first layer', ...NOTHING },
    {
      name: 'fc1.weight',
      op: 'Gemm',
      shape: [100, 400],
      ternary: true,
      stored: 'ternary2',
      bitsPerWeight: 2.0016,
      wp: 0.51234567,
      wn: 1.5,
      threshold: 0.05,
      zeros: 20_000,
      positives: 12_000,
      negatives: 8_000,
    },
  ],
  reconstruction: null,
  training: {
    epochs: 4,
    steps: 1720,
    samplesPerSecond: 1234.5,
    elapsedMs: 178_000,
    replicas: 2,
    device: 'cpu',
    seed: 1,
    bestEpoch: 3,
    settings: SETTINGS,
    history: [],
  },
  restoration: null,
  verified: { bitExact: true },
  warnings: ['first', 'second'],
  elapsedMs: 192_300,
}

/** The same with everything that a page can show. */
export function detailedReport(): CompressReport {
  const [first, second] = COMPRESSED.layers as [CompressReport['layers'][0], CompressReport['layers'][0]]
  const bins = (counts: Readonly<Record<number, number>>): number[] =>
    Array.from({ length: 41 }, (_, bin) => counts[bin] ?? 0)
  return {
    ...COMPRESSED,
    layers: [
      first,
      {
        ...second,
        histogram: {
          of: 'latent',
          largest: 1.5,
          negatives: bins({ 5: 8_000 }),
          zeros: bins({ 19: 5_000, 20: 10_000, 21: 5_000 }),
          positives: bins({ 21: 2_000, 30: 10_000 }),
        },
        kernels: { count: 2, height: 2, width: 3, of: 40, codes: '+00--+000+-0' },
      },
      {
        name: 'fc2.weight',
        op: 'Gemm',
        shape: [10, 100],
        ternary: false,
        reason: '--max-drop 0.5',
        ...NOTHING,
        stored: 'int8',
      },
    ],
    training: {
      ...(COMPRESSED.training as NonNullable<CompressReport['training']>),
      ternaryLayers: ['fc1.weight'],
      history: [1, 2, 3, 4].map((epoch) => ({
        epoch,
        loss: 1 / epoch,
        learningRate: 0.05 / epoch,
        validationTop1: 90 + epoch,
        ternary: { wp: [0.5 + epoch / 100], wn: [1.5 - epoch / 100], zeros: [0.4 + epoch / 100] },
        elapsedMs: 1000 * epoch,
      })),
    },
    restoration: {
      allTernary: { heldOutScore: 93, drop: 1, fileBytes: 20_000 },
      ranking: [{ name: 'fc2.weight', divergence: 0.25, savedBytes: 750 }],
      rounds: [
        {
          restored: ['fc2.weight'],
          heldOutScore: 94,
          drop: 0.25,
          fileBytes: 21_500,
          training: COMPRESSED.training as NonNullable<CompressReport['training']>,
        },
      ],
    },
    data: { training: 60_000, test: 10_000, classes: 2, classNames: ['cat', 'dog'] },
    samples: {
      confusion: [
        [95, 5],
        [1, 99],
      ],
      confused: [
        { label: 0, decided: 1, count: 5 },
        { label: 1, decided: 0, count: 1 },
      ],
      byClass: [95, 99],
      mistakes: [
        { index: 7, label: 0, decided: 1, probability: 0.98, original: 0, divergence: 1.2, picture: 'iVBORw0KGgo=' },
      ],
      changed: [
        { index: 9, label: 1, decided: 1, probability: 0.6, original: 1, divergence: 0.7, picture: 'iVBORw0KGgo=' },
      ],
    },
    firstKernels: { name: 'conv1.weight', count: 6, height: 5, width: 5, of: 6, picture: 'iVBORw0KGgo=' },
    run: {
      command: "ttq compress net.onnx --ternary '*'",
      date: '2026-01-02T03:04:05.678Z',
      node: '22.1.0',
      onnxruntime: '1.30.0',
      platform: 'linux',
      architecture: 'x64',
      processor: 'AMD EPYC',
      cores: 2,
      memoryBytes: 8e9,
    },
  }
}
