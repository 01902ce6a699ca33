// Runs update graphs step by step as training does: state and scalars in, state and values out.
import { checkGraph } from '../../src/onnx/check-graph.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { Session } from '../../src/runtime/session.js'
import { float32, type Tensor } from '../../src/tensor/tensor.js'
import type { UpdateGraph } from '../../src/optimizer/parameters.js'

export interface UpdateRun {
  /** Per step: the blocks' values after it. */
  values: Float32Array[][]
  /** State after the last step. */
  state: Map<string, Float32Array>
}

/** @param gradients of each block, given its current value and the number of steps done */
export async function runUpdates(
  update: UpdateGraph,
  steps: number,
  rates: { learningRate: number; scaleLearningRate: number },
  gradients: (value: Float32Array, block: number, step: number) => Float32Array,
): Promise<UpdateRun> {
  checkGraph(update.model.graph)
  const session = await Session.create(writeModel(update.model), { threads: 1 })
  let state: Record<string, Tensor> = Object.fromEntries(
    update.state.map(({ name, dims, initial }) => [name, float32(dims, initial)]),
  )
  let current = update.blocks.map(({ initialValue }) => initialValue)
  const values: Float32Array[][] = []
  for (let step = 1; step <= steps; step++) {
    const scalars = Object.fromEntries(update.scalars.map((name) => [name, float32([], [{ ...rates, step }[name]])]))
    const feeds = Object.fromEntries(
      update.blocks.map((block, i) => [
        block.gradient,
        float32(block.dims, gradients(current[i] as Float32Array, i, step - 1)),
      ]),
    )
    const results = await session.run({ ...scalars, ...state, ...feeds })
    current = update.blocks.map(({ value }) => results[value]?.data as Float32Array)
    values.push(current)
    state = Object.fromEntries(update.state.map(({ name }) => [name, results[`${name}_next`] as Tensor]))
  }
  await session.release()
  return { values, state: new Map(Object.entries(state).map(([name, { data }]) => [name, data as Float32Array])) }
}
