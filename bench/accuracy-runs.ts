// The long runs behind docs/experiments.md: one command line each, which `npm run results` executes.

export interface AccuracyRun {
  /** What `ttq` is called with; `{models}` is the folder of pretrained networks, `{out}` that of the results. */
  command: string
  /** Command that makes the network first, where it is not a pretrained one. */
  prepare?: string
  /** About how long it takes on two cores. */
  minutes: number
}

const RESNET20 = 'compress {models}/cifar10-resnet20.onnx --data cifar10'
const FRESH_RESNET20 = {
  prepare: 'new resnet20 -o {out}/resnet20-new.onnx',
  input: '{out}/resnet20-new.onnx --data cifar10',
}
/** Epochs of the runs that are compared with each other, not with the paper. */
const BESIDE = '--epochs 8'
const LARGE_IMAGES = '--data dist/bench/enlarged-cifar10.js'

export const ACCURACY_RUNS: Readonly<Record<string, AccuracyRun>> = {
  lenet5: { command: 'compress fixtures/mnist-lenet.onnx --data mnist', minutes: 1 },
  // The bounds to reach; with SGD, 20 epochs gained nothing over eight for ResNet-20.
  resnet20: { command: `${RESNET20} --max-drop 0.2`, minutes: 20 },
  resnet56: { command: 'compress {models}/cifar10-resnet56.onnx --data cifar10', minutes: 45 },
  // Methods and recipes side by side. BWN's update graph is DoReFa's (one scale per layer), so one of them runs.
  'resnet20-ttq': { command: `${RESNET20} ${BESIDE}`, minutes: 16 },
  'resnet20-paper': { command: `${RESNET20} ${BESIDE} --recipe paper`, minutes: 14 },
  // The paper's schedule is one for 400 epochs; this is what the rest of its settings give in eight.
  'resnet20-paper-cosine': { command: `${RESNET20} ${BESIDE} --recipe paper --schedule cosine`, minutes: 16 },
  'resnet20-twn': { command: `${RESNET20} ${BESIDE} --method twn`, minutes: 16 },
  'resnet20-bwn': { command: `${RESNET20} ${BESIDE} --method bwn`, minutes: 16 },
  'resnet20-unlabelled': {
    command: `${RESNET20} ${BESIDE} --unlabelled --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225`,
    minutes: 16,
  },
  // Random weights.
  'scratch-full': {
    prepare: FRESH_RESNET20.prepare,
    command: `train ${FRESH_RESNET20.input} --epochs 30`,
    minutes: 50,
  },
  'scratch-ternary': {
    prepare: FRESH_RESNET20.prepare,
    command: `compress ${FRESH_RESNET20.input} --from-scratch --epochs 30`,
    minutes: 65,
  },
  // Networks for 224 x 224 pixels on a few images: steps that work and what the file takes, not accuracy. AlexNet as
  // the paper trained it, with Adam: SGD's rate is too much for the 4096 inputs of its last layer.
  resnet18: {
    prepare: 'new resnet18 --classes 10 -o {out}/resnet18-new.onnx',
    command: `compress {out}/resnet18-new.onnx ${LARGE_IMAGES} --from-scratch --epochs 5 --batch 16`,
    minutes: 3,
  },
  alexnet: {
    prepare: 'new alexnet --classes 10 -o {out}/alexnet-new.onnx',
    command:
      `compress {out}/alexnet-new.onnx ${LARGE_IMAGES} --from-scratch --epochs 5 --batch 32 --optimizer ` +
      'adam --learning-rate 0.0001',
    minutes: 5,
  },
}
