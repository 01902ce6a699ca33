// Progress on stderr: one line redrawn on a terminal, plain lines everywhere else. Written here because terminals and
// logs need different texts at different times, which progress packages leave to their caller, and the drawing itself
// is one carriage return.
import { percentText } from '../report/table.js'
import { metricText } from '../report/training-text.js'
import type { Progress } from '../training/progress.js'

interface ProgressOptions {
  write: (text: string) => void
  /** Redraw one line; else plain lines without control characters. */
  live: boolean
  /** Width of the terminal, asked at every drawing. */
  columns: () => number | undefined
  /** Milliseconds. */
  now: () => number
}

interface ProgressDisplay {
  show(event: Progress): void
  /** Removes the redrawn line, so that other text can follow. */
  clear(): void
}

/** Time between two drawings of the line, and between two plain lines inside an epoch. */
const REDRAW_MS = 100
const PLAIN_MS = 10_000
/** Cells of the bar: in the width that terminals have by default, the numbers go before. */
const BAR = { cells: 20, from: 100, narrow: 10 } as const

const PHASES: Readonly<Record<Extract<Progress, { kind: 'phase' }>['name'], string>> = {
  read: 'reading',
  survey: 'looking at all samples',
  prepare: 'preparing',
  baseline: 'measuring the original network',
  train: 'training',
  reconstruct: 'fitting layer by layer',
  analyze: 'making each layer ternary alone',
  pack: 'packing',
  verify: 'verifying the file',
  evaluate: 'evaluating',
  predict: 'predicting',
}

/** Events in, text out. */
export function progressDisplay({ write, live, columns, now }: ProgressOptions): ProgressDisplay {
  let drawn = false
  let last = -Infinity
  let phase = ''
  let accuracy = ''
  const clear = (): void => {
    if (drawn) write('\r\x1b[K')
    drawn = false
  }
  const line = (text: string): void => {
    clear()
    write(`${text}\n`)
    last = now()
  }
  const redraw = (text: string): void => {
    write(`\r${text.slice(0, Math.max(1, (columns() ?? 80) - 1))}\x1b[K`)
    drawn = true
    last = now()
  }
  const bar = (share: number): string =>
    live ? drawBar(share, (columns() ?? 80) < BAR.from ? BAR.narrow : BAR.cells) : ''
  const passing = (text: string, whole: boolean): void => {
    if (live && (whole || now() - last >= REDRAW_MS)) redraw(text)
    else if (!live && now() - last >= PLAIN_MS) line(text)
  }
  const show = (event: Progress): void => {
    switch (event.kind) {
      case 'phase':
        accuracy = ''
        phase = `${PHASES[event.name]}${event.detail === undefined ? '' : `: ${event.detail}`}`
        if (live) redraw(phase)
        else line(phase)
        break
      case 'warning':
        line(`warning: ${event.message}`)
        break
      case 'note':
        line(event.message)
        break
      case 'step':
        passing(`${bar(overall(event))}${describeStep(event, accuracy)}`, false)
        break
      case 'evaluated':
        passing(`${bar(event.done / event.total)}${phase} ${event.done}/${event.total}`, event.done === event.total)
        break
      case 'epoch':
        accuracy = `, held-out ${heldOutText(event)}`
        line(
          `epoch ${event.epoch}/${event.epochs}: loss ` +
            `${event.loss.toFixed(4)}${accuracy}${keptText(event)}, ${duration(event.elapsedMs)}`,
        )
        break
    }
  }
  return { show, clear }
}

type Epoch = Extract<Progress, { kind: 'epoch' }>

// Of epochs that the held-out samples cannot tell apart, the last is kept.
function keptText({ best, bestScore, validationTop1, validationAgreement, validation }: Epoch): string {
  if (!best) return ''
  const value = validation?.value ?? validationTop1 ?? validationAgreement
  return value === bestScore ? ' (kept)' : ` (kept: within the error of ${percentText(bestScore)})`
}

function heldOutText({ validationTop1, validationAgreement, validation }: Epoch): string {
  if (validation !== undefined) return metricText(validation, validation.value)
  return validationTop1 === null ? `agreement ${validationAgreement?.toFixed(2)} %` : `${validationTop1.toFixed(2)} %`
}

type Step = Extract<Progress, { kind: 'step' }>

// `step` counts within the epoch.
function overall({ epoch, epochs, step, steps }: Step): number {
  return (epoch - 1 + step / steps) / epochs
}

// What matters most comes first: a narrow terminal shows the beginning.
function describeStep(
  { epoch, epochs, step, steps, loss, samplesPerSecond, remainingMs }: Step,
  accuracy: string,
): string {
  return (
    `${duration(remainingMs)} left, epoch ${epoch}/${epochs}, step ${step}/${steps}, loss ${loss.toFixed(4)}` +
    `${accuracy}, ${Math.round(samplesPerSecond)} images/s`
  )
}

function drawBar(share: number, cells: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * cells)
  return `[${'#'.repeat(filled)}${'.'.repeat(cells - filled)}] ${String(Math.floor(share * 100)).padStart(3)} % `
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
