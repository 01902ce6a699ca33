// Mean and variance per channel of a layer's output, added up batch by batch.
import { elementCount, type Tensor } from '../tensor/tensor.js'

/** Over samples and positions; the variance is the population's. */
export interface ChannelStatistics {
  mean: ArrayLike<number>
  variance: ArrayLike<number>
}

/** Adds up one layer's outputs, so that no more than one batch of them is held. */
export class ChannelSums {
  private count = 0
  private sum = new Float64Array()
  private squares = new Float64Array()

  /** @param axis channel axis of the outputs; negative from the end */
  constructor(private readonly axis: number) {}

  add({ dims, data }: Tensor<'float32'>): void {
    const axis = this.axis < 0 ? dims.length + this.axis : this.axis
    const channels = dims[axis] as number
    if (this.count === 0) [this.sum, this.squares] = [new Float64Array(channels), new Float64Array(channels)]
    const inner = elementCount(dims.slice(axis + 1))
    for (let start = 0, channel = 0; start < data.length; start += inner, channel = (channel + 1) % channels) {
      let sum = 0
      let squares = 0
      for (let i = start; i < start + inner; i++) {
        const value = data[i] as number
        sum += value
        squares += value * value
      }
      this.sum[channel] = (this.sum[channel] as number) + sum
      this.squares[channel] = (this.squares[channel] as number) + squares
    }
    this.count += data.length / channels
  }

  statistics(): ChannelStatistics {
    const mean = this.sum.map((sum) => sum / this.count)
    return {
      mean,
      variance: this.squares.map((squares, channel) =>
        Math.max(0, squares / this.count - (mean[channel] as number) ** 2),
      ),
    }
  }
}
