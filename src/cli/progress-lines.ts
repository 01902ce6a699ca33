// Progress for programs: one JSON object a line (docs/pipelines.md), what is said in words included.
import type { Progress } from '../training/progress.js'

/** Goes up when a line means something else than before; new kinds and new keys do not raise it. */
const SCHEMA = 'ttq-progress/1'
/** Time between two lines of what happens many times a second. */
const PAUSE_MS = 1000

interface ProgressLines {
  show(event: Progress): void
  /** What a terminal would show as a line: an error, a warning or a note. */
  say(line: string): void
}

interface ProgressLinesOptions {
  write: (text: string) => void
  /** Milliseconds. */
  now: () => number
}

/** Events in, lines out; of steps and samples, the first and the last and one a second. */
export function progressLines({ write, now }: ProgressLinesOptions): ProgressLines {
  const last = new Map<string, number>()
  const line = (content: object): void => {
    write(`${JSON.stringify({ schema: SCHEMA, ...content })}\n`)
  }
  return {
    show: (event) => {
      if (event.kind === 'step' || event.kind === 'evaluated') {
        const isLast = event.kind === 'step' ? event.step === event.steps : event.done === event.total
        if (!isLast && now() - (last.get(event.kind) ?? -Infinity) < PAUSE_MS) return
        last.set(event.kind, now())
      }
      line(event)
    },
    say: (text) => {
      const [, word, message = text] = /^(ttq|warning): (.*)$/s.exec(text) ?? []
      line({ kind: word === 'ttq' ? 'error' : word === 'warning' ? 'warning' : 'note', message })
    },
  }
}
