// Runs the program inside the test's own process: for what is about its texts and exit codes, not about a process.
import { Writable } from 'node:stream'
import { isQuiet, runProgram } from '../../src/cli/main.js'
import { openTerminal } from '../../src/cli/terminal.js'
import type { Outcome } from './run-program.js'

function collector(chunks: Buffer[]): Writable {
  return new Writable({
    write(chunk: Buffer | string, _encoding, done) {
      chunks.push(Buffer.from(chunk))
      done()
    },
  })
}

/** @param folder becomes the working directory */
export async function runHere(folder: string, args: readonly string[]): Promise<Outcome> {
  const [out, err]: [Buffer[], Buffer[]] = [[], []]
  const before = process.cwd()
  process.chdir(folder)
  try {
    const streams = { stdout: collector(out), stderr: collector(err) }
    const terminal = openTerminal({ quiet: isQuiet(args), streams, signal: new AbortController().signal })
    const code = await runProgram(args, terminal)
    const bytes = Buffer.concat(out)
    return { code, stdout: bytes.toString(), stderr: Buffer.concat(err).toString(), bytes }
  } finally {
    process.chdir(before)
  }
}
