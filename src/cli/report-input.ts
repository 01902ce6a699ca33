// Reading a report that a command printed, from a file or from stdin.
import { readFault } from '../errors/errno-text.js'
import { TtqError } from '../errors/ttq-error.js'
import { readFileOrPipe, readStream } from './read-regular.js'

const EXPECTED = 'expected a report as ttq compress --json prints it'

/** Text of a report. @param path `-` for stdin @throws TtqError `data`; `usage` when stdin is a terminal */
export async function readReportText(path: string, signal: AbortSignal): Promise<string> {
  if (path === '-') return await readStdin(signal)
  try {
    return new TextDecoder().decode(await readFileOrPipe(path, signal))
  } catch (cause) {
    if (signal.aborted) throw cause
    throw new TtqError('data', `${path}: ${readFault(cause)}, ${EXPECTED}`, { facts: { path }, cause })
  }
}

async function readStdin(signal: AbortSignal): Promise<string> {
  if (process.stdin.isTTY)
    throw new TtqError('usage', `stdin: found a terminal, ${EXPECTED}`, {
      hint: 'Pipe one in: ttq compress model.onnx --json | ttq report - -o report.html',
    })
  return (await readStream(process.stdin, signal)).toString()
}
