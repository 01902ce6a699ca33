// The end of every compression with data: what is packed is read back and tested, so that what the report says is true
// of the file.
import type { BoundNetwork } from '../binding/bind-network.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import type { Model } from '../onnx/model.js'
import type { MethodName } from '../options/choices.js'
import { packsExactly, unpack } from '../packed/unpack.js'
import type { Evaluation } from '../tasks/evaluation.js'
import { Verdicts } from '../tasks/verdicts.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import { roundRest } from '../ternary/round-rest.js'
import type { TernaryNetwork } from '../ternary/ternary-network.js'
import type { CompressJob } from './compress-job.js'
import { type PackedNetwork, packNetwork } from './pack-network.js'

/** What a confirmation needs that is the same for all results of a run. */
export interface TestBench {
  pool: WorkerPool
  bound: BoundNetwork
  job: CompressJob
  /** @param verdicts told what is decided for each sample */
  test: (model: Model, verdicts?: Verdicts) => Promise<Evaluation>
}

export interface ConfirmedFile {
  file: Uint8Array
  sizes: PackedNetwork['sizes']
  /** With everything rounded to what it is stored in. */
  network: TernaryNetwork
  compressed: Evaluation
  bitExact: boolean
  /** Where details are asked for: what the file decides for each test sample. */
  verdicts: Verdicts | undefined
}

/** Rounds, packs, tests both the network and the file. @param exceptions weights with a precision of their own */
export async function confirmPacked(
  { pool, bound, job, test }: TestBench,
  ternary: TernaryNetwork,
  choices: readonly LayerChoice[],
  { method, exceptions }: { method: MethodName; exceptions?: Parameters<typeof roundRest>[2]['exceptions'] },
): Promise<ConfirmedFile> {
  job.phase('pack')
  const network = roundRest(ternary, choices, { rest: job.options.rest, ...(exceptions && { exceptions }) })
  const origin = { method, name: job.connections.name, dataset: bound.dataset }
  const { file, model, sizes } = packNetwork(network, origin, job.options)
  job.phase('verify')
  const before = await test(network.model)
  job.phase('evaluate')
  const verdicts = job.options.details ? Verdicts.of(bound.task) : undefined
  const compressed = await test(unpack(file).model, verdicts)
  // Other devices may sum in another order from run to run: there the networks themselves are compared.
  const bitExact = pool.device === 'cpu' ? before.digest === compressed.digest : await packsExactly(file, model)
  return { file, sizes, network, compressed, bitExact, verdicts }
}
