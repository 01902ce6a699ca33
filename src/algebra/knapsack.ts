// One of several ways for each item, so that all together cost least and weigh no more than may be.

/** One way to take an item; neither is negative. */
export interface Way {
  weight: number
  cost: number
}

/** Steps that weights are counted in, rounded up: what is chosen never weighs more than may be. */
const STEPS = 2000

/**
 * Multiple-choice knapsack, by dynamic programming over the weights in steps of a share of the capacity.
 * @param items each with at least one way
 * @returns the index of each item's way; undefined where even the lightest ways do not fit
 */
export function knapsack(items: readonly (readonly Way[])[], capacity: number): number[] | undefined {
  const unit = capacity / STEPS
  const stepsOf = (weight: number): number => (weight <= 0 ? 0 : unit > 0 ? Math.ceil(weight / unit - 1e-9) : Infinity)
  // Of the items so far: the least that they cost with room for so many steps, and the way of the last one.
  let least = new Float64Array(STEPS + 1)
  const taken = items.map((ways) => {
    const chosen = new Int16Array(STEPS + 1).fill(-1)
    const next = new Float64Array(STEPS + 1).fill(Infinity)
    ways.forEach(({ weight, cost }, way) => {
      const steps = stepsOf(weight)
      for (let room = steps; room <= STEPS; room++) {
        const sum = (least[room - steps] as number) + cost
        if (sum < (next[room] as number)) [next[room], chosen[room]] = [sum, way]
      }
    })
    least = next
    return chosen
  })
  let room = STEPS
  const result = new Array<number>(items.length)
  for (let i = items.length - 1; i >= 0; i--) {
    const way = (taken[i] as Int16Array)[room] as number
    if (way < 0) return undefined
    result[i] = way
    room -= stepsOf((items[i]?.[way] as Way).weight)
  }
  return result
}
