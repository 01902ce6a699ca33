// Runs the program inside the test's own process: for what is about its texts and exit codes, not about a process.
import { Writable } from 'node:stream'
import { runProgram, terminalOptions } from '../../src/cli/main.js'
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

/** @param folder becomes the working directory; @param more what the environment says, besides that of the test */
export async function runHere(folder: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const [out, err]: [Buffer[], Buffer[]] = [[], []]
  const before = process.cwd()
  process.chdir(folder)
  try {
    const env = {
      ...process.env,
      CI: '',
      NO_COLOR: '',
      FORCE_COLOR: '',
      GITHUB_ACTIONS: '',
      GITHUB_STEP_SUMMARY: '',
      ...more,
    }
    const streams = { stdout: collector(out), stderr: collector(err) }
    const terminal = openTerminal({ ...terminalOptions(args), streams, signal: new AbortController().signal, env })
    const code = await runProgram(args, terminal)
    const bytes = Buffer.concat(out)
    return { code, stdout: bytes.toString(), stderr: Buffer.concat(err).toString(), bytes }
  } finally {
    process.chdir(before)
  }
}
