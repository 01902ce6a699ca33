// Questions to somebody at a terminal; nobody is asked where there is none.
import { createInterface } from 'node:readline/promises'

export interface Questions {
  /** The answer, trimmed; `fallback` where it is empty. */
  ask: (question: string, fallback: string) => Promise<string>
  close: () => void
}

/** @returns undefined where stdin or stderr is no terminal */
export function openQuestions(signal: AbortSignal): Questions | undefined {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined
  const prompts = createInterface({ input: process.stdin, output: process.stderr })
  return {
    ask: async (question, fallback) => {
      const answer = await prompts.question(`${question}${fallback === '' ? '' : ` [${fallback}]`}: `, { signal })
      return answer.trim() === '' ? fallback : answer.trim()
    },
    close: () => {
      prompts.close()
    },
  }
}
