// What a report says of a training: the options it ran with, and how it went.
import { type OptionName, OPTIONS, type OptionsOf } from '../options/option-table.js'
import { networkFile } from '../options/network-file.js'
import type { NetworkFile, OptionRow } from '../options/option.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import { otherEngine } from '../runtime/engines.js'
import type { TrainingReport, TrainingSettings } from './training-report.js'
import type { TrainResult } from './train-result.js'

/** What a report has of any options. */
type Described = Pick<OptionsOf<'train'>, 'epochs' | 'seed'>

/** A training to ternary weights. */
export function describeTraining(
  options: Described,
  result: TrainResult,
  pool: Pick<WorkerPool, 'device' | 'engine'>,
): TrainingReport {
  return describe(options, settingsOf(options, ['training', 'ternary']), result, pool)
}

/** A training of the network as it is, whatever else the options say. */
export function describeFullPrecisionTraining(
  options: Described,
  result: TrainResult,
  pool: Pick<WorkerPool, 'device' | 'engine'>,
): TrainingReport {
  return describe(options, settingsOf(options, ['training']), result, pool)
}

function describe(
  options: Described,
  settings: TrainingSettings,
  result: TrainResult,
  pool: Pick<WorkerPool, 'device' | 'engine'>,
): TrainingReport {
  return {
    epochs: options.epochs,
    steps: result.steps,
    samplesPerSecond: result.samplesPerSecond,
    elapsedMs: result.elapsedMs,
    replicas: result.replicas,
    device: pool.device,
    ...otherEngine(pool),
    seed: options.seed,
    bestEpoch: result.bestEpoch,
    settings,
    asRun: result.asRun,
    history: result.history,
  }
}

function settingsOf(options: object, kinds: readonly OptionRow['setting'][]): TrainingSettings {
  const rows = Object.entries(OPTIONS) as [OptionName, OptionRow][]
  const names = rows.filter(([, { setting }]) => setting !== undefined && kinds.includes(setting)).map(([name]) => name)
  const said = options as Readonly<Record<string, unknown>>
  return Object.fromEntries(
    names.filter((name) => said[name] !== undefined).map((name) => [name, shown(OPTIONS[name], said[name])]),
  ) as unknown as TrainingSettings
}

// Of networks their names: reports hold no other files.
function shown({ kind }: OptionRow, value: unknown): unknown {
  if (kind.type !== 'networks') return value
  const networks = value as readonly (string | Uint8Array | NetworkFile)[]
  return networks.map((each, place) => (typeof each === 'string' ? each : networkFile(each, place).name))
}
