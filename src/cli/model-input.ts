// Reading the model that a command works on: a file, or stdin for `-`. What is inside is for the library to judge.
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { dirname, isAbsolute, join, normalize, sep } from 'node:path'
import { TtqError } from '../errors/ttq-error.js'

export interface ModelInput {
  /** How messages and reports call it. */
  name: string
  bytes: Uint8Array
  /** Nobody else uses the bytes: readers may overwrite them. */
  overwrite: true
  /** Bytes of files that stand beside the model (ONNX external data); absent for stdin, which has no place. */
  externalData?: (location: string, offset?: number, length?: number) => Uint8Array
}

/** @throws TtqError `model` when there is no such file, or nothing in it; `usage` when stdin is a terminal */
export async function readModelInput(path: string, signal: AbortSignal): Promise<ModelInput> {
  const input =
    path === '-'
      ? { name: 'stdin', bytes: await readStdin(signal) }
      : { name: path, bytes: readWhole(path), externalData: externalDataBeside(path) }
  if (input.bytes.length === 0)
    throw new TtqError('model', `${input.name}: found no bytes, expected an ONNX model or a .ttq file`)
  return { ...input, overwrite: true }
}

async function readStdin(signal: AbortSignal): Promise<Uint8Array> {
  if (process.stdin.isTTY)
    throw new TtqError('usage', 'stdin: found a terminal, expected a model', {
      hint: 'Pipe a file in: ttq inspect - < model.onnx',
    })
  const chunks: Buffer[] = []
  signal.addEventListener('abort', () => process.stdin.destroy())
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'found no such file',
  ENOTDIR: 'found no such file',
  EISDIR: 'found a folder',
  EACCES: 'found no permission to read it',
  ERR_FS_FILE_TOO_LARGE: 'found more than 2 GB',
}

function readWhole(path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    throw new TtqError('model', `${path}: ${REASONS[code ?? ''] ?? message}, expected an ONNX model or a .ttq file`, {
      facts: { path },
      cause,
    })
  }
}

/**
 * A reader of files in the folder of a model. A location comes from the model and may not lead out of the folder; links
 * in the folder are the user's own (download caches are full of them) and are followed.
 */
function externalDataBeside(path: string): NonNullable<ModelInput['externalData']> {
  return (location, offset = 0, length) => {
    if (isAbsolute(location) || normalize(location).split(sep)[0] === '..')
      throw new Error(`"${location}" leads out of the model's folder`)
    const file = openSync(join(dirname(path), location), 'r')
    try {
      const stats = fstatSync(file)
      if (!stats.isFile()) throw new Error(`"${location}" is no regular file`)
      const wanted = length ?? stats.size - offset
      if (offset + wanted > stats.size)
        throw new Error(`"${location}" has ${stats.size} bytes, expected ${offset + wanted}`)
      const bytes = new Uint8Array(wanted)
      for (let done = 0, read = 1; done < wanted && read > 0; done += read)
        read = readSync(file, bytes, done, wanted - done, offset + done)
      return bytes
    } finally {
      closeSync(file)
    }
  }
}
