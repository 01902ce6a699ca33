// What it takes to do the same again: data, command, seed, options, machine.
import type { UsedData } from '../../jobs/details-report.js'
import type { RunReport } from '../../jobs/run-report.js'
import type { TrainingAsRun, TrainingReport } from '../../training/training-report.js'
import { dashed, isOfLibrary } from '../../options/option-table.js'
import { type Block, type Fact, known, type Section, when } from '../page.js'
import { countText, sizeText } from '../table.js'

/** Empty without data. */
export function dataSection(
  dataset: string | null,
  preprocessing: string | null,
  data: UsedData | undefined,
  more: readonly (readonly [string, string | null | undefined])[] = [],
  asRun?: TrainingAsRun,
): Section {
  if (dataset === null) return { title: 'Data', blocks: [] }
  const facts = known([
    ['dataset', dataset],
    ['samples', data && samplesText(data, asRun)],
    ['classes', data?.classes === null || data?.classes === undefined ? undefined : countText(data.classes)],
    ['names of classes', data?.classNames && listed(data.classNames)],
    ['preprocessing', preprocessing],
    ...more,
  ])
  return { title: 'Data', blocks: [{ kind: 'facts', facts }] }
}

// Of data that are measured only, none are trained on.
function samplesText({ training, test }: UsedData, asRun: TrainingAsRun | undefined): string {
  const learned =
    asRun === undefined
      ? `${countText(training)} to train on, `
      : `${countText(asRun.training)} to train on, ${countText(asRun.heldOut)} held out to choose the epoch by, `
  return `${training === 0 ? '' : learned}${countText(test)} to test on`
}

// Options that are bounds, or leave it to the data: what they came to.
function heldText(name: string, value: unknown, { asRun, steps }: TrainingReport): string {
  const text = Array.isArray(value) ? value.join(',') : String(value)
  if (asRun === undefined) return text
  const { heldOut, warmup, augmentations } = asRun
  if (name === 'validation' && value !== heldOut) return `${text} at most: ${heldOut}, a tenth`
  if (name === 'warmup' && value !== warmup) return `${text} at most: ${warmup} of ${steps} steps`
  return name === 'augment' && value === true ? `${text}: ${augmentations?.join(', ') ?? 'nothing'}` : text
}

/** Names that are listed one by one. */
const MOST_NAMES = 20

function listed(names: readonly string[]): string {
  const rest = names.length - MOST_NAMES
  return `${names.slice(0, MOST_NAMES).join(', ')}${rest > 0 ? `, and ${countText(rest)} more` : ''}`
}

/** @param version of the program */
export function repetitionSection(
  run: RunReport | undefined,
  version: string | undefined,
  training: TrainingReport | null,
): Section {
  const settings = Object.entries(training?.settings ?? {})
    .filter(([name]) => !isOfLibrary(name))
    .map(([name, value]): Fact => [dashed(name), heldText(name, value, training as TrainingReport)])
  const facts = known([
    ['seed', training === null ? null : String(training.seed)],
    ['replicas', training === null ? null : `${training.replicas} (with the seed, they decide every byte)`],
    ['ttq', version],
    ['ONNX Runtime', run?.onnxruntime],
    ['Node.js', run?.node],
    ['machine', run && `${run.processor}, ${run.cores} cores, ${sizeText(run.memoryBytes)} of memory`],
    ['system', run && `${run.platform}, ${run.architecture}`],
    ['date', run?.date],
  ])
  const blocks: Block[] = when(run, ({ command }) => ({ kind: 'command', command }))
  if (facts.length > 0) blocks.push({ kind: 'facts', facts })
  if (settings.length > 0)
    blocks.push({
      kind: 'fold',
      title: 'Options of the training as they came out of what was given and the defaults',
      note: '',
      blocks: [{ kind: 'facts', facts: settings }],
    })
  return { title: 'To repeat it', blocks }
}
