// Images as one network takes them, turned into what another one takes of the same images: by nodes, so that a batch is
// fed once. Sizes stay.
import type { Layout, Preprocessing } from '../data/dataset.js'
import type { GraphBuilder } from '../onnx/graph-builder.js'
import type { ValueName } from '../onnx/model.js'
import { DATA_TYPES } from '../tensor/data-type.js'
import { elementCount, float32, int64, type Tensor } from '../tensor/tensor.js'

/** An input of images: a batch of them, and how its values come from pixels. */
export interface PixelInput {
  readonly batch: Tensor
  readonly pixels: Preprocessing
}

/**
 * Adds the nodes that make `to` of a value that is `from`; none where they are the same. Values are computed in
 * float32: (pixel / 255 * scale - mean) / std of one is a multiple of the other's, and a sum, channel by channel.
 * @param value [N, ...] as `from.batch`, for any N
 */
export function convertPixels(b: GraphBuilder, value: ValueName, from: PixelInput, to: PixelInput): ValueName {
  const { factors, shifts } = betweenPixels(from.pixels, to.pixels)
  const isTurned = isBgr(from.pixels) !== isBgr(to.pixels)
  const isScaled = factors.some((factor) => factor !== 1) || shifts.some((shift) => shift !== 0)
  const isMoved = from.pixels.layout !== to.pixels.layout
  const channels = factors.length
  const [ownDims, dims] = [from.batch.dims.slice(1), to.batch.dims.slice(1)]
  const isShaped = dims.join() !== ownDims.join()
  if (!(isTurned || isScaled || isMoved || isShaped) && from.batch.type === to.batch.type) return value
  let x = cast(b, value, from.batch.type, 'float32')
  if (isTurned || isScaled || isMoved) {
    // Rows and columns stay one behind the other: they count as one axis.
    const places = elementCount(ownDims) / channels
    const axis = from.pixels.layout === 'NCHW' ? 1 : 2
    x = b.emit('Reshape', [x, b.constant(int64(axis === 1 ? [-1, channels, places] : [-1, places, channels]))])
    const perChannel = (numbers: readonly number[]): ValueName =>
      b.constant(float32(axis === 1 ? [channels, 1] : [channels], numbers))
    if (isScaled) x = b.emit('Add', [b.emit('Mul', [x, perChannel(factors)]), perChannel(shifts)])
    if (isTurned) x = b.emit('Gather', [x, b.constant(int64(factors.map((_, i) => channels - 1 - i)))], { axis })
    if (isMoved) x = b.emit('Transpose', [x], { perm: [0, 2, 1] })
  }
  if (isTurned || isScaled || isMoved || isShaped) x = b.emit('Reshape', [x, b.constant(int64([-1, ...dims]))])
  if (to.batch.type === 'uint8') x = b.emit('Round', [b.emit('Clip', [x, ...[0, 255].map((end) => number(b, end))])])
  return cast(b, x, 'float32', to.batch.type)
}

/** In the order of the first one's channels. */
function betweenPixels(from: Preprocessing, to: Preprocessing): { factors: number[]; shifts: number[] } {
  const there = (i: number): number => (isBgr(from) === isBgr(to) ? i : from.mean.length - 1 - i)
  const scale = to.scale / from.scale
  const factors = from.std.map((std, i) => (std * scale) / (to.std[there(i)] as number))
  const shifts = from.mean.map(
    (mean, i) => (mean * scale - (to.mean[there(i)] as number)) / (to.std[there(i)] as number),
  )
  return { factors, shifts }
}

function isBgr({ channelOrder }: Preprocessing): boolean {
  return channelOrder === 'bgr'
}

/** The axis along which an image's columns lie in a batch of these dimensions; undefined where it is flat. */
export function widthAxis(dims: readonly number[], layout: Layout): number | undefined {
  if (dims.length < 3) return undefined
  return dims.length === 4 && layout === 'NHWC' ? 2 : dims.length - 1
}

function cast(b: GraphBuilder, value: ValueName, from: Tensor['type'], to: Tensor['type']): ValueName {
  return from === to ? value : b.emit('Cast', [value], { to: DATA_TYPES[to].onnx })
}

function number(b: GraphBuilder, value: number): ValueName {
  return b.constant(float32([], [value]))
}
