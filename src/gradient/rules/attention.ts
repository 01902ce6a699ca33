// Attention written out as products of matrices and a softmax. Q is [batch, heads, queries, size], K and V [batch,
// heads, keys, size] here, whatever form the operators take.
import { attribute } from '../../onnx/attributes.js'
import type { Node, ValueName } from '../../onnx/model.js'
import { DATA_TYPES } from '../../tensor/data-type.js'
import { float32 } from '../../tensor/tensor.js'
import type { ExpansionScope, RuleTable, Shape } from '../rule.js'

/** What masks forbid gets this much added to its score, so that no row is without a number. */
const FORBIDDEN = -1e30

export const RULES = {
  // https://onnx.ai/onnx/operators/onnx__Attention.html
  Attention: {
    except: 'nonpad_kv_seqlen, an output of products',
    expand: (node, g) => {
      const [q = '', k = '', v = '', mask = '', pastKey = '', pastValue = '', lengths = ''] = node.inputs
      if (lengths) g.refuse('nonpad_kv_seqlen')
      const [y = '', key = '', value = '', product = ''] = node.outputs
      if (product) g.refuse('its output of products of queries and keys')
      const split = g.shape(q).length === 3
      const [qHeads, kvHeads] = ['q_num_heads', 'kv_num_heads'].map((name) => attribute(node, name, 'int', 0)) as [
        number,
        number,
      ]
      const queries = split ? headsOf(g, q, g.shape(q), qHeads) : { value: q, shape: g.shape(q) }
      const own = [k, v].map((of) => (split ? headsOf(g, of, g.shape(of), kvHeads) : { value: of, shape: g.shape(of) }))
      const [keys, values] = [
        withPast(g, own[0] as Heads, pastKey, key),
        withPast(g, own[1] as Heads, pastValue, value),
      ]
      const found = attend(g, queries, keys, values, {
        scale: attribute(node, 'scale', 'float', undefined),
        softcap: attribute(node, 'softcap', 'float', 0),
        biases: mask ? [additive(g, mask, keys.shape[2] as number)] : [],
        causal: attribute(node, 'is_causal', 'int', 0) === 1 ? pastLength(g, pastKey) : undefined,
      })
      if (split) g.define('Reshape', [joined(g, found.value), g.ints(g.shape(y))], [y])
      else g.define('Identity', [found.value], [y])
    },
  },

  // With the projection in front, as ONNX Runtime has it (its list of contrib operators)
  'com.microsoft.Attention': {
    except: 'past keys, do_rotary, masks of other forms than lengths and keys',
    limit: withoutRotation,
    expand: (node, g) => {
      const [x = '', weight = '', bias = '', mask = '', past = '', scores = ''] = node.inputs
      if (past) g.refuse('past keys and values')
      const heads = attribute(node, 'num_heads', 'int', 1)
      const width = g.shape(weight)[1] as number
      const sizes = attribute(node, 'qkv_hidden_sizes', 'ints', [width / 3, width / 3, width / 3])
      const product = g.emit('MatMul', [x, weight])
      const projected = bias ? g.emit('Add', [product, bias]) : product
      const parts = g.emitMany('Split', [projected, g.ints(sizes)], 3, { axis: -1 })
      const rows = g.shape(x).slice(0, 2)
      const [q, k, v] = parts.map((part, i) => headsOf(g, part, [...rows, sizes[i] as number], heads)) as Triple<Heads>
      defineFused(node, g, { q, k, v, mask, scores, past: undefined })
    },
  },

  'com.microsoft.MultiHeadAttention': {
    except: 'packed inputs, buffers of past keys, masks of other forms than lengths and keys',
    expand: (node, g) => {
      const [query = '', key = '', value = '', bias = '', mask = '', scores = '', pastKey = '', pastValue = ''] =
        node.inputs
      if (node.inputs.slice(8).some((input) => input !== '')) g.refuse('a buffer for past keys and values')
      const heads = attribute(node, 'num_heads', 'int', 1)
      if (!value || g.shape(query).length !== 3) g.refuse('queries, keys and values in one input')
      const widths = [query, value].map((of) => (g.shape(of).length === 3 ? (g.shape(of)[2] as number) : 0))
      const [width, valueWidth] = widths as [number, number]
      const biases = bias ? g.emitMany('Split', [bias, g.ints([width, width, valueWidth])], 3, { axis: 0 }) : []
      const [q, k, v] = [query, key, value].map((of, i) => {
        const shape = g.shape(of)
        // Keys and values of a cross attention may come in heads.
        if (shape.length === 4) return { value: of, shape }
        return headsOf(g, bias ? g.emit('Add', [of, biases[i] as ValueName]) : of, shape, heads)
      }) as Triple<Heads>
      defineFused(node, g, { q, k, v, mask, scores, past: { key: pastKey, value: pastValue } })
    },
  },
} satisfies RuleTable

type Triple<T> = [T, T, T]

interface Heads {
  value: ValueName
  shape: Shape
}

// [batch, length, heads * size] -> [batch, heads, length, size]
function headsOf(g: ExpansionScope, value: ValueName, shape: Shape, heads: number): Heads {
  const [batch, length, width] = shape as Triple<number>
  const size = width / heads
  const split = g.emit('Reshape', [value, g.ints([batch, length, heads, size])])
  return { value: g.emit('Transpose', [split], { perm: [0, 2, 1, 3] }), shape: [batch, heads, length, size] }
}

function joined(g: ExpansionScope, value: ValueName): ValueName {
  return g.emit('Transpose', [value], { perm: [0, 2, 1, 3] })
}

// Keys or values with those of before in front; under the name of the node's output where it gives them.
function withPast(g: ExpansionScope, { value, shape }: Heads, past: ValueName, present: ValueName): Heads {
  const all = past ? g.emit('Concat', [past, value], { axis: 2 }) : value
  if (present) g.define('Identity', [all], [present])
  return { value: all, shape: shape.with(2, (shape[2] as number) + pastLength(g, past)) }
}

function pastLength(g: ExpansionScope, past: ValueName): number {
  return past ? (g.shape(past)[2] as number) : 0
}

interface Scores {
  /** Default 1 / sqrt(size). */
  scale: number | undefined
  /** Scores are kept within this by tanh; 0: they are not. */
  softcap: number
  /** Added to the scores, [batch, heads, queries, keys] or what broadcasts to it. */
  biases: readonly ValueName[]
  /** Queries see no keys after this many more than stand before them; undefined: they see all. */
  causal: number | undefined
}

function attend(g: ExpansionScope, q: Heads, k: Heads, v: Heads, { scale, softcap, biases, causal }: Scores): Heads {
  const [, heads, queries, size] = q.shape as [number, number, number, number]
  const [keys, values] = [repeated(g, k, heads), repeated(g, v, heads)]
  const turned = g.emit('Transpose', [keys.value], { perm: [0, 1, 3, 2] })
  const scaled = g.emit('Mul', [q.value, g.scalar(scale || 1 / Math.sqrt(size))])
  let scores = g.emit('MatMul', [scaled, turned])
  if (softcap > 0)
    scores = g.emit('Mul', [g.emit('Tanh', [g.emit('Mul', [scores, g.scalar(1 / softcap)])]), g.scalar(softcap)])
  const count = keys.shape[2] as number
  const order = causal === undefined ? [] : [lowerTriangle(g, queries, count, causal)]
  for (const bias of [...biases, ...order]) scores = g.emit('Add', [scores, bias])
  const found = g.emit('MatMul', [g.emit('Softmax', [scores], { axis: -1 }), values.value])
  return { value: found, shape: [...q.shape.slice(0, 3), values.shape[3] as number] }
}

// Each head of keys or values serves as many heads of queries, one after the other.
function repeated(g: ExpansionScope, { value, shape }: Heads, heads: number): Heads {
  const [batch, own, length, size] = shape as [number, number, number, number]
  if (own === heads) return { value, shape }
  const apart = g.emit('Reshape', [value, g.ints([batch, own, 1, length, size])])
  const copies = g.emit('Expand', [apart, g.ints([batch, own, heads / own, length, size])])
  return { value: g.emit('Reshape', [copies, g.ints([batch, heads, length, size])]), shape: shape.with(1, heads) }
}

function lowerTriangle(g: ExpansionScope, queries: number, keys: number, past: number): ValueName {
  const data = Float32Array.from({ length: queries * keys }, (_, i) =>
    (i % keys) - Math.floor(i / keys) > past ? FORBIDDEN : 0,
  )
  return g.constant(float32([queries, keys], data))
}

// A mask of booleans, or one that is added; keys that it does not have are forbidden.
function additive(g: ExpansionScope, mask: ValueName, keys: number): ValueName {
  const shape = g.shape(mask)
  const missing = keys - (shape.at(-1) as number)
  const type = g.elementType(mask) ?? g.refuse(`the type of its mask "${mask}" is not known`)
  const added = type !== 'bool' ? mask : g.emit('Where', [mask, g.scalar(0), g.scalar(FORBIDDEN)])
  if (missing <= 0 || shape.at(-1) === 1) return added
  const pads = g.ints([...shape.map(() => 0), ...shape.map((_, axis) => (axis === shape.length - 1 ? missing : 0))])
  return g.emit('Pad', [added, pads, g.scalar(FORBIDDEN)])
}

interface FusedInputs {
  q: Heads
  k: Heads
  v: Heads
  mask: ValueName
  /** Added to the scores. */
  scores: ValueName
  past: { key: ValueName; value: ValueName } | undefined
}

function defineFused(node: Node, g: ExpansionScope, { q, k, v, mask, scores, past }: FusedInputs): void {
  const [y = '', key = '', value = '', product = ''] = node.outputs
  if (past === undefined ? key !== '' : product !== '') g.refuse(`its output "${past === undefined ? key : product}"`)
  const keys = withPast(g, k, past?.key ?? '', past === undefined ? '' : key)
  const values = withPast(g, v, past?.value ?? '', past === undefined ? '' : value)
  const filter = attribute(node, 'mask_filter_value', 'float', -10000)
  const found = attend(g, q, keys, values, {
    scale: attribute(node, 'scale', 'float', undefined),
    softcap: 0,
    biases: [...(mask ? [ofKeys(g, mask, keys.shape, filter)] : []), ...(scores ? [scores] : [])],
    causal: attribute(node, 'unidirectional', 'int', 0) === 1 ? pastLength(g, past?.key ?? '') : undefined,
  })
  g.define('Reshape', [joined(g, found.value), g.ints(g.shape(y))], [y])
}

// Which keys count, of integers: how many per sample, or 1 and 0 for each key, of each query where there are three
// axes.
function ofKeys(g: ExpansionScope, mask: ValueName, keyShape: Shape, filter: number): ValueName {
  const shape = g.shape(mask)
  const [batch, , keys] = keyShape as Triple<number>
  const allowed = (): ValueName =>
    g.emit('Greater', [mask, g.emit('Cast', [g.scalar(0)], { to: DATA_TYPES.int32.onnx })])
  const chosen = (condition: ValueName): ValueName => g.emit('Where', [condition, g.scalar(0), g.scalar(filter)])
  if (shape.length === 1 && shape[0] === batch) {
    const places = g.constant({
      type: 'int32',
      dims: [1, 1, 1, keys],
      data: Int32Array.from({ length: keys }, (_, i) => i),
    })
    return chosen(g.emit('Less', [places, g.emit('Reshape', [mask, g.ints([batch, 1, 1, 1])])]))
  }
  if (shape.length === 2 && shape[1] === keys)
    return chosen(g.emit('Reshape', [allowed(), g.ints([shape[0] as number, 1, 1, keys])]))
  if (shape.length === 3) return chosen(g.emit('Unsqueeze', [allowed(), g.ints([1])]))
  return g.refuse(`a mask of shape [${shape.join(',')}]`)
}

function withoutRotation(node: Node): string | undefined {
  return attribute(node, 'do_rotary', 'int', 0) === 0 ? undefined : 'do_rotary'
}
