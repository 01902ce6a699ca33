// Reading a report that a command printed, from a file or from stdin.
import { readFileSync, statSync } from 'node:fs'
import { NO_FILE, readFault } from '../errors/errno-text.js'
import { TtqError } from '../errors/ttq-error.js'

const EXPECTED = 'expected a report as ttq compress --json prints it'

/** Text of a report. @param path `-` for stdin @throws TtqError `data`; `usage` when stdin is a terminal */
export async function readReportText(path: string, signal: AbortSignal): Promise<string> {
  if (path === '-') return await readStdin(signal)
  try {
    const stats = statSync(path)
    if (stats.isCharacterDevice() || stats.isBlockDevice() || stats.isSocket())
      throw Object.assign(new Error('no file'), { code: NO_FILE })
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new TtqError('data', `${path}: ${readFault(cause)}, ${EXPECTED}`, { facts: { path }, cause })
  }
}

async function readStdin(signal: AbortSignal): Promise<string> {
  if (process.stdin.isTTY)
    throw new TtqError('usage', `stdin: found a terminal, ${EXPECTED}`, {
      hint: 'Pipe one in: ttq compress model.onnx --json | ttq report - -o report.html',
    })
  const chunks: Buffer[] = []
  const stop = (): void => {
    process.stdin.destroy()
  }
  signal.addEventListener('abort', stop)
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) chunks.push(chunk)
  signal.removeEventListener('abort', stop)
  signal.throwIfAborted()
  return Buffer.concat(chunks).toString()
}
