// Kernels of a ternary layer as a picture of three colours, as figure 4 of Zhu et al. (arXiv 1612.01064) has them.
import { countText, shapeText } from '../src/report/table.js'
import { elementCount } from '../src/tensor/tensor.js'
import type { LayerCodes } from './file-calls.js'
import { byId } from './element.js'

/** Kernels, or weights of a matrix, in a picture: across are the second dimension, down the first. */
const MOST = { kernels: { across: 32, down: 16 }, weights: { across: 128, down: 64 } } as const

/** Pixels of the canvas per weight. */
const PIXELS = 4

export function showKernels(layer: string, { dims, codes }: LayerCodes): void {
  const canvas = byId<HTMLCanvasElement>('kernels')
  const [rows = 1, columns = 1, ...kernel] = dims
  const width = kernel.at(-1) ?? 1
  const height = elementCount(kernel) / width
  const isKernel = width * height > 1
  const most = isKernel ? MOST.kernels : MOST.weights
  const [down, across] = [Math.min(rows, most.down), Math.min(columns, most.across)]
  const gap = isKernel ? 1 : 0
  canvas.width = PIXELS * (across * (width + gap) - gap)
  canvas.height = PIXELS * (down * (height + gap) - gap)
  const context = canvas.getContext('2d') as CanvasRenderingContext2D
  const style = getComputedStyle(document.documentElement)
  const colours = ['--negative', '--zero', '--positive'].map((name) => style.getPropertyValue(name))
  for (let i = 0; i < down * across; i++) {
    const [row, column] = [Math.floor(i / across), i % across]
    const first = (row * columns + column) * width * height
    for (let at = 0; at < width * height; at++) {
      const x = column * (width + gap) + (at % width)
      const y = row * (height + gap) + Math.floor(at / width)
      context.fillStyle = colours[(codes[first + at] as number) + 1] as string
      context.fillRect(PIXELS * x, PIXELS * y, PIXELS, PIXELS)
    }
  }
  const what = isKernel ? `kernels of ${shapeText(kernel)}` : 'weights'
  const text = `${what}: rows ${shown(down, rows)}, columns ${shown(across, columns)} of the weight ${layer}, ${shapeText(dims)}`
  canvas.ariaLabel = text
  byId('kernels-caption').textContent = `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}

function shown(part: number, whole: number): string {
  return part === whole ? `1 to ${countText(whole)}` : `1 to ${part} of ${countText(whole)}`
}
