// What an Einsum's letters say. https://onnx.ai/onnx/operators/onnx__Einsum.html
import { attribute } from './attributes.js'
import type { Node } from './model.js'

export interface EinsumEquation {
  /** Letters of the axes of each operand, `...` among them for any number of axes. */
  operands: readonly string[]
  result: string
}

/** The equation without spaces, with the result that it means where it names none. */
export function einsumEquation(node: Node): EinsumEquation {
  const equation = attribute(node, 'equation', 'string', '').replaceAll(' ', '')
  const [left = '', result = impliedResult(left.replaceAll(',', ''))] = equation.split('->')
  return { operands: left.split(','), result }
}

// What is broadcast, then the letters that stand once, in the order of the alphabet.
function impliedResult(operands: string): string {
  const letters = operands.replaceAll('.', '')
  const once = [...letters].filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter))
  return `${operands.includes('...') ? '...' : ''}${once.sort().join('')}`
}
