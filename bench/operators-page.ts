// docs/operators.md, from the tables of operators, of gradient rules and of kernels: node dist/bench/operators-page.js
// writes it.
import { writeFileSync } from 'node:fs'
import { RULES } from '../src/gradient/rule-table.js'
import { NOT_DIFFERENTIABLE, type RuleTable } from '../src/gradient/rule.js'
import { OPERATORS } from '../src/onnx/operators.js'
import type { KernelTable } from '../src/runtime/tfjs/call.js'
import { KERNELS } from '../src/runtime/tfjs/kernel-table.js'

/** The page's text. */
export function operatorsPage(): string {
  const names = [...new Set([...OPERATORS, ...Object.keys(RULES), ...Object.keys(KERNELS)])]
  const rows = names.sort(byDomain).map((name) => {
    const { gradient, why } = describe(RULES[name])
    const { kernel, without } = describeKernel(KERNELS[name])
    const [operator, domain] = [
      name.slice(name.lastIndexOf('.') + 1),
      name.slice(0, Math.max(name.lastIndexOf('.'), 0)),
    ]
    return `| ${operator} | ${domain || 'ai.onnx'} | ${gradient} | ${why} | ${kernel} | ${without} |`
  })
  return [HEAD, ...rows, ''].join('\n')
}

const HEAD = `# Operators

Which operators training can go through, and which the second engine has. Without training, and on ONNX Runtime, every
operator will do that it runs. Written by \`node dist/bench/operators-page.js\` from the tables of operators
(\`src/onnx/operators.ts\`), of gradient rules (\`src/gradient/rule-table.ts\`) and of kernels
(\`src/runtime/tfjs/kernel-table.ts\`), and checked by a test.

**gradient**:

- **yes**: it has a gradient rule, or is written out as standard operators for training (*expanded*; the packed network
  keeps it as it is). What stands behind *but for* is refused by name before training starts.
- **zero**: its result does not change with its inputs but in steps, or it speaks of shapes or indices only: no gradient
  flows through it, and none is needed.
- **no**: training cannot go through it. Where it stands between the layers and the output, compress without training.

**tfjs**: whether TensorFlow.js (\`--engine tfjs\`) computes it. A network with a node that it does not compute is
refused by name before any work.

| operator | domain | gradient | | tfjs | |
|---|---|---|---|---|---|`

function describe(entry: RuleTable[string] | undefined): { gradient: string; why: string } {
  if (entry === undefined) return { gradient: 'no', why: 'no rule' }
  if (entry === NOT_DIFFERENTIABLE) return { gradient: 'zero', why: '' }
  if (typeof entry === 'function') return { gradient: 'yes', why: '' }
  const notes = [...('expand' in entry ? ['expanded'] : []), ...(entry.except ? [`but for ${entry.except}`] : [])]
  return { gradient: 'yes', why: notes.join('; ') }
}

function describeKernel(entry: KernelTable[string] | undefined): { kernel: string; without: string } {
  if (entry === undefined) return { kernel: 'no', without: '' }
  return { kernel: 'yes', without: typeof entry === 'function' ? '' : `but for ${entry.except}` }
}

// ai.onnx first.
function byDomain(a: string, b: string): number {
  return Number(a.includes('.')) - Number(b.includes('.')) || (a < b ? -1 : 1)
}

if (process.argv[1] === import.meta.filename) writeFileSync('docs/operators.md', operatorsPage())
