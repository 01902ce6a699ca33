// The list of commands. Only those that a command line names are loaded, so that `ttq --help` and each command start
// quickly.
import type { Command, CommandBody, CommandTitle } from './command.js'

interface CommandEntry extends CommandTitle {
  load: () => Promise<CommandBody>
}

const ENTRIES: readonly CommandEntry[] = [
  {
    name: 'compress',
    summary: 'Fine-tune an ONNX network to ternary weights and pack it into a .ttq file, verified and reported.',
    example: ['$0 compress model.onnx --data mnist', 'train on MNIST, write model.ttq'],
    load: async () => (await import('./commands/compress.js')).compressCommand,
  },
  {
    name: 'train',
    summary: 'Train an ONNX network in full precision, from its own weights or from fresh ones.',
    example: ['$0 train model.onnx --data mnist -o trained.onnx', 'train on MNIST'],
    load: async () => (await import('./commands/train.js')).trainCommand,
  },
  {
    name: 'sweep',
    summary:
      'Compress at several thresholds or sparsities: accuracy against sparsity and size as a table and a figure.',
    example: ['$0 sweep model.onnx --data mnist --thresholds 0.02,0.05,0.1', 'write model.csv and model.svg'],
    load: async () => (await import('./commands/sweep.js')).sweepCommand,
  },
  {
    name: 'analyze',
    summary:
      'Make each layer of an ONNX network ternary alone, without training, and rank the layers by the harm it ' +
      'does. Needs no labels, and no data either.',
    example: ['$0 analyze model.onnx --data mnist', 'a table, the most harmful layer first'],
    load: async () => (await import('./commands/analyze.js')).analyzeCommand,
  },
  {
    name: 'evaluate',
    summary: 'Measure the top-1 accuracy of an .onnx or .ttq file on the full test set.',
    example: ['$0 evaluate model.ttq --data mnist', 'accuracy of a packed file'],
    load: async () => (await import('./commands/evaluate.js')).evaluateCommand,
  },
  {
    name: 'unpack',
    summary: 'Turn a .ttq file into a plain ONNX file that any runtime opens.',
    example: ['$0 unpack model.ttq -o model.onnx', 'write model.onnx'],
    load: async () => (await import('./commands/unpack.js')).unpackCommand,
  },
  {
    name: 'inspect',
    summary:
      'Describe an .onnx or .ttq file: layers, shapes, Wp, Wn, shares of -/0/+, bits per weight, what cannot be ' +
      'trained.',
    example: ['$0 inspect model.onnx', 'what compress would do with each layer'],
    load: async () => (await import('./commands/inspect.js')).inspectCommand,
  },
  {
    name: 'verify',
    summary:
      'Check that a .ttq file is whole, runs, and is as near to its original as is asked for: a gate for pipelines.',
    example: ['$0 verify model.ttq --against model.onnx --max-distance 20', 'exit code 4 where it is farther away'],
    load: async () => (await import('./commands/verify.js')).verifyCommand,
  },
  {
    name: 'diff',
    summary: 'Show how two .ttq or ONNX files of a network differ: size, graph, tensors, codes, Wp and Wn.',
    example: ['$0 diff old.ttq new.ttq', 'what a new training changed'],
    load: async () => (await import('./commands/diff.js')).diffCommand,
  },
  {
    name: 'plan',
    summary:
      'Show what compress would do, before the work: which layers become ternary, the size of the file, what no ' +
      'gradient passes, what the data are, how long a training takes.',
    example: ['$0 plan model.onnx --data mnist', 'takes the options of compress'],
    load: async () => (await import('./commands/plan.js')).planCommand,
  },
  {
    name: 'data',
    summary:
      'Look at a dataset before any work: samples, classes, sizes, values, duplicates, what cannot be read, and ' +
      'what a network gets of it.',
    example: ['$0 data photos', 'what is in a folder of pictures'],
    load: async () => (await import('./commands/data.js')).dataCommand,
  },
  {
    name: 'predict',
    summary:
      'Say what a network sees in pictures, with the preprocessing and the class names that its .ttq file holds.',
    example: ['$0 predict model.ttq photo.jpg', 'the likeliest classes'],
    load: async () => (await import('./commands/predict.js')).predictCommand,
  },
  {
    name: 'report',
    summary: 'Make a page (HTML or Markdown) of what compress, train, analyze or evaluate printed with --json.',
    example: ['$0 report result.json', 'write result.html'],
    load: async () => (await import('./commands/report.js')).reportCommand,
  },
  {
    name: 'compare',
    summary: 'Put the reports of several compressions side by side, with the options by which they differ.',
    example: ['$0 compare a.json b.json', 'a table of accuracy, size and time'],
    load: async () => (await import('./commands/compare.js')).compareCommand,
  },
  {
    name: 'new',
    summary: 'Write a freshly initialised network as an ONNX file: to train from scratch, and to measure on.',
    example: ['$0 new resnet20 -o net.onnx', 'ResNet-20 for 3x32x32 images and 10 classes'],
    load: async () => (await import('./commands/new.js')).newCommand,
  },
  {
    name: 'doctor',
    summary:
      'Show what this machine offers: versions, cores, memory, instruction sets, speed, and the devices that work.',
    example: ['$0 doctor', 'in a few seconds; put it into bug reports'],
    load: async () => (await import('./commands/doctor.js')).doctorCommand,
  },
  {
    name: 'init',
    summary: 'Look at a model and its data, and write a config file with comments.',
    example: ['$0 init net.onnx', 'write ttq.config.yaml'],
    load: async () => (await import('./commands/init.js')).initCommand,
  },
  {
    name: 'run',
    summary: 'Do the jobs of a config file, one after the other, with one summary.',
    example: ['$0 run', 'all jobs of ttq.config.yaml'],
    load: async () => (await import('./commands/run.js')).runCommand,
  },
  {
    name: 'help',
    summary: 'Explain a command or a topic: datasets, preprocessing, tasks, exit codes, ...',
    example: ['$0 help datasets', 'what --data takes'],
    load: async () => (await import('./commands/help.js')).helpCommand,
  },
  {
    name: 'completion',
    summary: 'Print a script that completes command lines in a shell: bash, zsh, fish or powershell.',
    example: ['source <($0 completion bash)', 'commands, options, choices and files by Tab'],
    load: async () => (await import('./commands/completion.js')).completionCommand,
  },
]

/** All commands; of those whose name is not among the words, title and example only; with `all`, every one whole. */
export async function commandsFor(words: readonly string[] | 'all'): Promise<Command[]> {
  return await Promise.all(
    ENTRIES.map(async ({ load, ...title }): Promise<Command> => ({
      ...title,
      ...(words === 'all' || words.includes(title.name) ? await load() : unloaded(title)),
    })),
  )
}

function unloaded({ name }: CommandTitle): CommandBody {
  return {
    options: {},
    examples: [],
    run: () => Promise.reject(new Error(`internal: the command ${name} was not loaded`)),
  }
}
