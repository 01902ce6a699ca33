// What a kernel is: one operator, computed with TensorFlow.js. The kernels stand in kernels/, the table in
// kernel-table.ts, what calls them in interpreter.ts.
import { TtqError } from '../../errors/ttq-error.js'
import { describeNode } from '../../onnx/attributes.js'
import type { Graph, Node } from '../../onnx/model.js'
import { type DataType, isFloatType } from '../../tensor/data-type.js'
import { float16ToNumber, floatTensor } from '../../tensor/float-values.js'
import type { Tensor } from '../../tensor/tensor.js'
import type { DeviceTensor, TensorFlow } from './tensorflow.js'
import { integerArray, Value } from './value.js'

/** The results, in the order of the node's outputs; those behind the last that it has may be left out. */
export type Kernel = (call: Call) => Value | readonly (Value | undefined)[]

export interface LimitedKernel {
  run: Kernel
  /** What of this very node it cannot compute, e.g. `storage_order 1`; undefined where all is well. */
  limit: (node: Node) => string | undefined
  /** The same in general, for the list of operators in docs. */
  except: string
}

/** By operator, as `operatorName` gives them. Operators that are missing are unsupported. */
export type KernelTable = Readonly<Record<string, Kernel | LimitedKernel>>

/** One node with its inputs. */
export class Call {
  /**
   * @param opset version of the operator set that the node is of
   * @param runBranch computes the outputs of a graph nested in the node
   */
  constructor(
    readonly tf: TensorFlow,
    readonly node: Node,
    readonly opset: number,
    private readonly inputs: readonly (Value | undefined)[],
    readonly runBranch: (graph: Graph) => Value[],
  ) {}

  get inputCount(): number {
    return this.inputs.length
  }

  has(index: number): boolean {
    return this.inputs[index] !== undefined
  }

  value(index: number): Value {
    return this.inputs[index] ?? this.refuse(`input ${index} is missing`)
  }

  /** All inputs that are there. */
  values(): Value[] {
    return this.inputs.filter((input) => input !== undefined)
  }

  /** An input in TensorFlow.js: float32, bool, or int32 for every kind of integer. */
  tensor(index: number): DeviceTensor {
    return this.value(index).toDevice(this.tf)
  }

  /** The same of an input that has to be floats. */
  float(index: number): DeviceTensor {
    const value = this.value(index)
    return value.isFloat ? value.toDevice(this.tf) : this.refuse(`input ${index} is ${value.type}, expected floats`)
  }

  /** The numbers of an input, as JavaScript's: int64 beyond 2^53 are rounded. Undefined where it is missing. */
  numbers(index: number): number[] | undefined {
    const value = this.inputs[index]
    if (value === undefined) return undefined
    const numbers = Array.from(value.toHost() as ArrayLike<number | bigint>, Number)
    return value.type === 'float16' ? numbers.map(float16ToNumber) : numbers
  }

  /** @param type default: that of the first input */
  result(tensor: DeviceTensor, type: DataType = this.value(0).type): Value {
    return Value.onDevice(this.tf, type, tensor)
  }

  host(tensor: Tensor): Value {
    return Value.of(tensor)
  }

  /** A value of the first input's type without elements. */
  empty(dims: readonly number[]): Value {
    const { type } = this.value(0)
    return Value.of({
      type,
      dims,
      data: isFloatType(type) ? floatTensor(type, [0], new Float32Array()).data : integerArray(type, []),
    })
  }

  /** Stops with an error that names the node. */
  refuse(reason: string): never {
    throw refusal(this.node, reason)
  }
}

/** What a node that this engine does not compute comes to (not thrown). */
export function refusal(node: Node, reason: string): TtqError {
  return new TtqError('unsupported', `tfjs: ${describeNode(node)}: ${reason}`, {
    facts: { node: node.name, operator: node.opType },
    hint: 'run it with ONNX Runtime (--engine onnxruntime); docs/operators.md lists what this engine computes',
  })
}

/** An axis counted from the front. */
export function axisOf(call: Call, axis: number, rank: number): number {
  const front = axis < 0 ? axis + rank : axis
  return front >= 0 && front < rank ? front : call.refuse(`found axis ${axis}, expected one of ${rank}`)
}

export function range(count: number, from = 0): number[] {
  return Array.from({ length: count }, (_, i) => from + i)
}
