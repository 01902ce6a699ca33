// Kernels of operators that hold graphs.
import { attribute } from '../../../onnx/attributes.js'
import type { KernelTable } from '../call.js'

export const KERNELS: KernelTable = {
  If: (call) => {
    const [condition] = call.numbers(0) ?? []
    const name = condition === 0 ? 'else_branch' : 'then_branch'
    const branch = attribute(call.node, name, 'graph', undefined) ?? call.refuse(`it has no ${name}`)
    return call.runBranch(branch)
  },
}
