// A header for C: every tensor as a table of constants, ternary ones as two bits a weight, and the functions that read
// them. For microcontrollers, whose programs bring the network's operators themselves.
import { TtqError } from '../errors/ttq-error.js'
import type { PackedModel } from '../packed/packed-model.js'
import { encodeTernary, ternaryByteLength } from '../packed/ternary-codec.js'
import { float32Values } from '../tensor/float-values.js'
import { isFloatType, type FloatType } from '../tensor/data-type.js'
import type { Tensor } from '../tensor/tensor.js'
import type { TernaryWeights } from '../tensor/ternary.js'
import type { UnpackedForm } from './unpacked-form.js'

export const cForm: UnpackedForm = {
  extension: '.h',
  what: 'header for C',
  write: (packed) => new TextEncoder().encode(header(packed)),
}

const START = `/* Written by ttq unpack --as c. Weight i of a ternary tensor is +wp, 0 or -wn where the i-th pair of bits of its
   codes, the lowest first, is 01, 00 or 11. All functions are static: include this file in one place, or in several. */
#ifndef TTQ_NETWORK_H
#define TTQ_NETWORK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  const char *name;        /* of the tensor in the ONNX file */
  size_t count;            /* elements, row-major */
  uint8_t rank;
  const uint32_t *dims;
  const uint8_t *codes;    /* of a ternary tensor, else NULL */
  float wp, wn;
  const float *values;     /* of any other tensor, else NULL */
} ttq_tensor;

/* The code of one weight: 1, 0 or -1. */
static inline int ttq_code(const ttq_tensor *tensor, size_t index) {
  const int bits = tensor->codes[index >> 2] >> (2 * (index & 3)) & 3;
  return (bits & 1) - (bits & 2);
}

/* One element. */
static inline float ttq_value(const ttq_tensor *tensor, size_t index) {
  if (tensor->codes == NULL) return tensor->values[index];
  const int code = ttq_code(tensor, index);
  return code > 0 ? tensor->wp : code < 0 ? -tensor->wn : 0.0f;
}

/* The sum of inputs weighted by \`count\` elements from \`start\` on: additions, and two products at the end. */
static inline float ttq_dot(const ttq_tensor *tensor, size_t start, size_t count, const float *inputs) {
  float plus = 0.0f, minus = 0.0f;
  for (size_t i = 0; i < count; i++) {
    if (tensor->codes == NULL) { plus += tensor->values[start + i] * inputs[i]; continue; }
    const int code = ttq_code(tensor, start + i);
    if (code > 0) plus += inputs[i];
    else if (code < 0) minus += inputs[i];
  }
  return tensor->codes == NULL ? plus : tensor->wp * plus - tensor->wn * minus;
}
`

function header({ model, ternary }: Required<PackedModel>): string {
  const tables: string[] = []
  const rows: string[] = []
  let index = 0
  for (const [name, tensor] of model.graph.initializers) {
    const weights = ternary.get(name)
    // Shapes and other whole numbers belong to the graph, which a program in C writes out itself.
    if (weights === undefined && !isFloatType(tensor.type)) continue
    const { dims } = tensor
    const id = index++
    tables.push(`/* ${comment(name)} [${dims.join(', ')}] */`)
    tables.push(table('uint32_t', `ttq_dims_${id}`, dims.map(String)))
    tables.push(weights === undefined ? valueTable(id, tensor as Tensor<FloatType>) : codeTable(id, weights))
    const [codes, values] = weights === undefined ? ['NULL', `ttq_values_${id}`] : [`ttq_codes_${id}`, 'NULL']
    const [wp, wn] = [literal(weights?.wp ?? 0), literal(weights?.wn ?? 0)]
    const count = dims.reduce((product, dim) => product * dim, 1)
    rows.push(`  {"${text(name)}", ${count}u, ${dims.length}, ttq_dims_${id}, ${codes}, ${wp}, ${wn}, ${values}},`)
  }
  if (index === 0) throw new TtqError('unsupported', 'c: found no tensors of numbers, expected at least one')
  const end = ['', '#ifdef __cplusplus', '}', '#endif', '', '#endif', '']
  const network = [
    `#define TTQ_TENSORS ${index}`,
    '',
    'static const ttq_tensor ttq_network[TTQ_TENSORS] = {',
    ...rows,
    '};',
  ]
  return [START, ...tables, '', ...network, ...end].join('\n')
}

function codeTable(id: number, { codes }: TernaryWeights): string {
  const bytes = new Uint8Array(ternaryByteLength(codes.length))
  encodeTernary(codes, bytes)
  return table('uint8_t', `ttq_codes_${id}`, Array.from(bytes, String))
}

function valueTable(id: number, tensor: Tensor<FloatType>): string {
  return table('float', `ttq_values_${id}`, Array.from(float32Values(tensor), literal))
}

// C has no empty arrays.
function table(type: string, name: string, items: readonly string[]): string {
  const lines: string[] = []
  let line = ' '
  for (const item of items.length === 0 ? ['0'] : items) {
    if (line.length + item.length > 110) {
      lines.push(line)
      line = ' '
    }
    line += ` ${item},`
  }
  return [`static const ${type} ${name}[] = {`, ...lines, line, '};'].join('\n')
}

/** Nine digits tell float32 numbers apart. */
function literal(value: number): string {
  if (Number.isNaN(value)) return '(0.0f / 0.0f)'
  if (!Number.isFinite(value)) return value > 0 ? '(1.0f / 0.0f)' : '(-1.0f / 0.0f)'
  return `${Object.is(value, -0) ? '-0.0e+0' : value.toExponential(8)}f`
}

function text(name: string): string {
  return [...new TextEncoder().encode(name)]
    .map((byte) => {
      const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c && byte !== 0x3f
      return isPlain ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`
    })
    .join('')
}

function comment(name: string): string {
  return text(name).replaceAll('*/', '* /').replaceAll('/*', '/ *').replaceAll('\\', '/')
}
