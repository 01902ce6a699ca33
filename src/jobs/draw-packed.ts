// What the report of a compression lacks for its page where no details were asked for, as far as the packed file has
// it.
import { TtqError } from '../errors/ttq-error.js'
import { unpack } from '../packed/unpack.js'
import type { TernaryWeights } from '../tensor/ternary.js'
import { countCodes } from '../tensor/ternary.js'
import type { Model, ValueName } from '../onnx/model.js'
import type { CompressReport, LayerReport } from './compress-report.js'
import { firstKernels, ternaryKernels } from './describe-details.js'

/**
 * The report with the kernels of its packed file.
 * @param name how messages call the file
 * @throws TtqError `packed` for a damaged file; `usage` for one that is not the report's
 */
export function drawPacked(report: CompressReport, bytes: Uint8Array, name: string): CompressReport {
  const { model, ternary } = unpack(bytes, { name })
  // Names in the file are short ones: a layer is known by its shape, its levels and its counts.
  const left = new Map(ternary)
  const layers = report.layers.map((layer) => {
    if (!layer.ternary) return layer
    const found = [...left].find(([weight, weights]) => isSame(layer, weights, model, weight))
    if (found === undefined)
      throw new TtqError('usage', `--model: ${name} is not the file of this report: it has no layer as ${layer.name}`, {
        hint: 'Name the .ttq file that the same command wrote.',
      })
    left.delete(found[0])
    const kernels = ternaryKernels(found[1].codes, layer.shape)
    return { ...layer, ...(kernels && { kernels }) }
  })
  const first = firstOf(model, report.layers[0])
  const kernels = first && firstKernels(model, [first])
  return { ...report, layers, ...(kernels && { firstKernels: { ...kernels, name: report.layers[0]?.name ?? '' } }) }
}

function isSame(layer: LayerReport, { codes, wp, wn }: TernaryWeights, { graph }: Model, weight: ValueName): boolean {
  const { zeros, positives, negatives } = countCodes(codes)
  const dims = graph.initializers.get(weight)?.dims ?? []
  return (
    layer.wp === wp &&
    layer.wn === wn &&
    layer.zeros === zeros &&
    layer.positives === positives &&
    layer.negatives === negatives &&
    dims.join() === layer.shape.join()
  )
}

// The first convolution of the graph, where it is the report's first layer.
function firstOf(
  { graph }: Model,
  layer: LayerReport | undefined,
): { weight: ValueName; op: 'Conv'; dims: readonly number[] } | undefined {
  if (layer?.op !== 'Conv') return undefined
  const [, weight = ''] = graph.nodes.find(({ opType }) => opType === 'Conv')?.inputs ?? []
  const dims = graph.initializers.get(weight)?.dims
  return dims?.join() === layer.shape.join() ? { weight, op: 'Conv', dims } : undefined
}
