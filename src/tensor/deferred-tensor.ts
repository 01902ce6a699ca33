// Tensors whose values are made when somebody asks for them: of networks that are larger than memory should be, only
// those stand in it that are worked on.
import type { DataType } from './data-type.js'
import type { Tensor, TensorData } from './tensor.js'

/** Bytes of values that are kept for whoever asks next; the values asked for last always are. */
const KEPT_BYTES = 2 ** 29

// The values asked for last stand last.
const kept = new Map<object, TensorData>()

/**
 * A tensor whose values `make` gives, always the same ones, as often as they are needed. They are not to be written to.
 * A copy by spreading holds them for good.
 */
export function deferredTensor<T extends DataType>(
  type: T,
  dims: readonly number[],
  make: () => TensorData<T>,
): Tensor<T> {
  return {
    type,
    dims,
    get data() {
      const known = kept.get(make) as TensorData<T> | undefined
      kept.delete(make)
      const data = known ?? make()
      kept.set(make, data)
      if (known === undefined) forgetOldest()
      return data
    },
  }
}

function forgetOldest(): void {
  let bytes = 0
  for (const [key, data] of [...kept].reverse()) {
    if (bytes > 0 && bytes + bytesOf(data) > KEPT_BYTES) kept.delete(key)
    else bytes += bytesOf(data)
  }
}

function bytesOf(data: TensorData): number {
  return 'byteLength' in data ? data.byteLength : 0
}
