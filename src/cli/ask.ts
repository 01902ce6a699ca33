// Questions to somebody at a terminal; nobody is asked where there is none.
import { createInterface } from 'node:readline/promises'
import { TtqError } from '../errors/ttq-error.js'
import { withHint } from '../errors/with-hint.js'
import type { Terminal } from './terminal.js'

export interface Questions {
  /**
   * What `read` makes of the answer, trimmed, or of `fallback` where it is empty. An answer that it refuses, with a
   * TtqError, is asked for again, with the reason.
   * @throws TtqError `interrupted` when whoever is asked leaves, with Ctrl-C or Ctrl-D
   */
  ask: <T>(question: string, fallback: string, read: (answer: string) => T | Promise<T>) => Promise<T>
  close: () => void
}

/** @returns undefined where stdin or stderr is no terminal */
export function openQuestions({ signal, complain }: Pick<Terminal, 'signal' | 'complain'>): Questions | undefined {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined
  const prompts = createInterface({ input: process.stdin, output: process.stderr })
  const leaving = (): TtqError => new TtqError('interrupted', 'left without an answer; nothing was written')
  // Some versions of Node reject the question then, others leave it open for ever.
  const left = new Promise<never>((_done, fail) => {
    prompts.once('close', () => {
      fail(leaving())
    })
  })
  left.catch(() => undefined)
  const answer = async (question: string): Promise<string> =>
    await Promise.race([left, prompts.question(question, { signal })]).catch((cause: unknown) => {
      signal.throwIfAborted()
      // The question's line ends.
      complain('')
      throw cause instanceof TtqError ? cause : leaving()
    })
  return {
    ask: async (question, fallback, read) => {
      for (;;) {
        const given = (await answer(`${question}${fallback === '' ? '' : ` [${fallback}]`}: `)).trim()
        try {
          return await read(given === '' ? fallback : given)
        } catch (error) {
          if (!(error instanceof TtqError) || signal.aborted) throw error
          complain(withHint(error.message, error.hint))
        }
      }
    },
    close: () => {
      prompts.close()
    },
  }
}
