// The training methods in plain float64 JavaScript, straight from their formulas: a witness that shares no code with
// src/.
export interface ReferenceSetup {
  method: 'ttq' | 'twn' | 'bwn' | 'dorefa' | 'none'
  optimizer: 'sgd' | 'adam'
  rule: { kind: 'auto' } | { kind: 'constant'; t: number } | { kind: 'sparsity'; r: number }
  weights: number[]
  /** Start of Wp and Wn, in units of the power of two nearest to their mean. */
  scales: number[]
  /** That power of two. */
  unit: number
  /** Weights within the threshold at the start: used for `auto`. */
  zeros: number
  gradients: ArrayLike<number>[]
  weightDecay: number
  learningRate: number
  scaleLearningRate: number
}

type Stepper = (value: number[], gradient: number[], rate: number, decay: number) => number[]

// Momentum 0.9, or AdamW with 0.9, 0.999, 1e-8.
function stepper(optimizer: 'sgd' | 'adam', size: number): Stepper {
  const first = new Array<number>(size).fill(0)
  const second = new Array<number>(size).fill(0)
  let step = 0
  return (value, gradient, rate, decay) => {
    step++
    return value.map((old, i) => {
      const g = gradient[i] as number
      if (optimizer === 'sgd') {
        first[i] = 0.9 * (first[i] as number) + g + decay * old
        return old - rate * first[i]
      }
      first[i] = 0.9 * (first[i] as number) + 0.1 * g
      second[i] = 0.999 * (second[i] as number) + 0.001 * g * g
      const mean = first[i] / (1 - 0.9 ** step)
      const square = second[i] / (1 - 0.999 ** step)
      return old * (1 - rate * decay) - (rate * mean) / (Math.sqrt(square) + 1e-8)
    })
  }
}

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

export function referenceRun(setup: ReferenceSetup): { initialValue: number[]; values: number[][]; latent: number[] } {
  const { method, rule, weights } = setup
  const magnitudes = weights.map(Math.abs)
  let latent = method === 'ttq' ? weights.map((weight) => weight / Math.max(...magnitudes)) : weights
  let scales = [...setup.scales]
  const stepLatent = stepper(setup.optimizer, weights.length)
  const stepScales = stepper(setup.optimizer, 2)
  const threshold = (): number => {
    const sizes = latent.map(Math.abs)
    if (rule.kind === 'constant') return rule.t * Math.max(...sizes)
    const zeros = rule.kind === 'sparsity' ? Math.round(rule.r * sizes.length) : setup.zeros
    return sizes.toSorted((a, b) => a - b)[zeros - 1] ?? 0
  }
  const quantized = (): number[] => {
    const sizes = latent.map(Math.abs)
    switch (method) {
      case 'none':
        return latent
      case 'bwn':
      case 'dorefa':
        return latent.map((weight) => (weight >= 0 ? mean(sizes) : -mean(sizes)))
      case 'twn': {
        const delta = 0.7 * mean(sizes)
        const scale = mean(sizes.filter((size) => size > delta))
        return latent.map((weight) => (Math.abs(weight) > delta ? Math.sign(weight) * scale : 0))
      }
      case 'ttq': {
        const delta = threshold()
        return latent.map((weight) =>
          weight > delta
            ? setup.unit * (scales[0] as number)
            : weight < -delta
              ? -setup.unit * (scales[1] as number)
              : 0,
        )
      }
    }
  }
  const initialValue = quantized()
  const values = setup.gradients.map((gradient) => {
    const g = Array.from(gradient)
    if (method !== 'ttq') {
      latent = stepLatent(latent, g, setup.learningRate, setup.weightDecay)
      return quantized()
    }
    const delta = threshold()
    g.forEach((value, i) => {
      g[i] = setup.unit * value
    })
    const [wp, wn] = scales as [number, number]
    const sumOver = (inside: (weight: number) => boolean): number =>
      g.reduce((sum, value, i) => sum + (inside(latent[i] as number) ? value : 0), 0)
    const scaleGradient = [sumOver((weight) => weight > delta), -sumOver((weight) => weight < -delta)]
    const latentGradient = g.map(
      (value, i) => value * ((latent[i] as number) > delta ? wp : (latent[i] as number) < -delta ? wn : 1),
    )
    latent = stepLatent(latent, latentGradient, setup.learningRate, setup.weightDecay)
    scales = stepScales(scales, scaleGradient, setup.scaleLearningRate, 0).map((scale, i) =>
      Math.max(scale, 0.01 * (setup.scales[i] as number)),
    )
    return quantized()
  })
  return { initialValue, values, latent }
}
