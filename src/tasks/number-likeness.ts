// How far the numbers of two networks are apart, output by output, whatever they mean.
import type { ValueName } from '../onnx/model.js'
import type { Tensor } from '../tensor/tensor.js'
import { sumOf } from './evaluation.js'
import { ownNumbers } from './numbers.js'
import { psnr } from './peak.js'
import type { MetricRule, Tally } from './task.js'

interface NumberOutput {
  output: ValueName
  /** Of an image. */
  peak?: number | undefined
  /** Whether its values decide something, so that decisions can be compared. */
  decides?: boolean
}

/**
 * Relative error (root mean square of the differences as percent of the original's, the root mean square of that over
 * outputs), cosine (mean over outputs), agreement of decisions where there are some, PSNR of images; the divergence is
 * the mean squared error relative to the outputs' variance.
 */
export function likenessOfNumbers(outputs: readonly NumberOutput[]): MetricRule[] {
  const all = outputs.map((_, i) => i)
  const mean = (places: readonly number[], value: (at: number) => number): number =>
    places.reduce((sum, at) => sum + value(at), 0) / places.length
  const relative = (tally: Tally, at: number): number =>
    ratio(sumOf(tally, 'differences', at), sumOf(tally, 'squares', at))
  const named = (key: string, name: string, at: number | undefined): { key: string; name: string } =>
    at === undefined
      ? { key, name }
      : { key: `${key}:${outputs[at]?.output}`, name: `${name} of ${outputs[at]?.output}` }
  const error = (places: readonly number[], at?: number): MetricRule => ({
    ...named('relativeError', 'relative error', at),
    unit: '%',
    better: 'lower',
    of: (tally) => 100 * Math.sqrt(mean(places, (place) => relative(tally, place))),
  })
  const deciding = all.filter((at) => outputs[at]?.decides === true)
  const images = all.filter((at) => outputs[at]?.peak !== undefined)
  return [
    error(all),
    {
      key: 'cosine',
      name: 'cosine',
      unit: '',
      better: 'higher',
      of: (tally) =>
        mean(all, (at) =>
          cosineOf(sumOf(tally, 'products', at), sumOf(tally, 'squares', at), sumOf(tally, 'otherSquares', at)),
        ),
    },
    ...(deciding.length === 0 ? [] : [agreement(deciding)]),
    ...images.map((at) =>
      psnr(
        (tally) => sumOf(tally, 'differences', at) / sumOf(tally, 'numbers', at),
        outputs[at]?.peak as number,
        ...Object.values(named('psnr', 'PSNR', images.length === 1 ? undefined : at)),
      ),
    ),
    ...(outputs.length === 1 ? [] : all.map((at) => error([at], at))),
    {
      key: 'divergence',
      name: 'divergence',
      unit: '',
      better: 'lower',
      of: (tally) =>
        mean(all, (at) => {
          const [numbers, total] = [sumOf(tally, 'numbers', at), sumOf(tally, 'totals', at)]
          const spread = sumOf(tally, 'squares', at) - total ** 2 / numbers
          return spread > 1e-9 * sumOf(tally, 'squares', at)
            ? sumOf(tally, 'differences', at) / spread
            : relative(tally, at)
        }),
    },
  ]
}

function agreement(places: readonly number[]): MetricRule {
  return {
    key: 'agreement',
    name: 'agreement',
    unit: '%',
    better: 'higher',
    of: (tally) =>
      (100 * places.reduce((sum, at) => sum + sumOf(tally, 'agreeing', at), 0)) /
      places.reduce((sum, at) => sum + sumOf(tally, 'decisions', at), 0),
  }
}

function ratio(part: number, whole: number): number {
  return part === 0 ? 0 : part / whole
}

function cosineOf(product: number, squares: number, otherSquares: number): number {
  return squares === 0 && otherSquares === 0 ? 1 : product / Math.sqrt(squares * otherSquares)
}

/** Sums of `likenessOfNumbers`, one of each per output; decisions are counted by whoever knows them. */
export function compareNumbers(expected: readonly Tensor[], found: readonly Tensor[], samples: number): Tally {
  const sums: Record<string, Float64Array> = Object.fromEntries(
    ['numbers', 'totals', 'squares', 'otherSquares', 'products', 'differences'].map((key) => [
      key,
      new Float64Array(expected.length),
    ]),
  )
  expected.forEach((output, at) => {
    const [a, b] = [ownNumbers(output, samples), ownNumbers(found[at] as Tensor, samples)]
    const own = { numbers: a.length, totals: 0, squares: 0, otherSquares: 0, products: 0, differences: 0 }
    for (let i = 0; i < a.length; i++) {
      const [x, y] = [a[i] as number, b[i] as number]
      own.totals += x
      own.squares += x * x
      own.otherSquares += y * y
      own.products += x * y
      own.differences += (x - y) ** 2
    }
    for (const [key, value] of Object.entries(own)) (sums[key] as Float64Array)[at] = value
  })
  return { sums }
}
