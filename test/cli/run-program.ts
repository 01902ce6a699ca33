// Runs the real program in a folder of its own.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'

export const PROGRAM = join(import.meta.dirname, '../../bin/ttq.js')

export interface Outcome {
  code: number | null
  stdout: string
  stderr: string
  bytes: Buffer
}

/** A folder that is removed after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ttq-cli-'))
  after(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

/** Starts the program; its environment says nothing of terminals or CI, and what `more` says. */
export function start(
  folder: string,
  args: readonly string[],
  more: NodeJS.ProcessEnv = {},
): ChildProcessWithoutNullStreams {
  const env = { ...process.env, CI: '', NO_COLOR: '', GITHUB_ACTIONS: '', GITHUB_STEP_SUMMARY: '', ...more }
  return spawn(process.execPath, [PROGRAM, ...args], { cwd: folder, env })
}

export async function run(
  folder: string,
  args: readonly string[],
  stdin: Uint8Array = new Uint8Array(),
): Promise<Outcome> {
  const child = start(folder, args)
  child.stdin.on('error', () => {})
  child.stdin.end(stdin)
  return outcome(child)
}

/** Resolves when the process has ended and both streams are read. */
export function outcome(child: ChildProcessWithoutNullStreams): Promise<Outcome> {
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  return new Promise((resolve) => {
    child.on('close', (code) => {
      const bytes = Buffer.concat(stdout)
      resolve({ code, stdout: bytes.toString(), stderr: Buffer.concat(stderr).toString(), bytes })
    })
  })
}
