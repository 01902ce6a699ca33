// Reading the model that a command works on: a file, a pipe, or stdin for `-`. What is inside is for the library to
// judge.
import { closeSync, fstatSync, openSync, readSync, realpathSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join, normalize, sep } from 'node:path'
import type { Readable } from 'node:stream'
import { closestFile } from '../data/closest-file.js'
import { readFault } from '../errors/errno-text.js'
import { hasErrno, TtqError } from '../errors/ttq-error.js'
import { TEACHER_WORDS, type TeacherWord } from '../options/choices.js'
import type { NetworkFile } from '../options/option.js'
import type { GivenOptions } from '../options/option-table.js'
import { isPacked } from '../packed/format.js'
import type { Arguments } from './command.js'
import { commandLineOption, textOption } from './command-options.js'
import { isLocked } from './file-lock.js'
import { isPipeAt, pipeAt, readRegular, readStream } from './read-regular.js'

export interface ModelInput {
  /** How messages and reports call it. */
  name: string
  bytes: Uint8Array
  /** Nobody else uses the bytes: readers may overwrite them. */
  overwrite: true
  /** Bytes of the model's external data files. */
  externalData: (location: string, offset?: number, length?: number) => Uint8Array
}

/** What protocol buffers hold at most, and Node reads at once. */
const MOST_BYTES = 2 ** 31 - 1

const EXPECTED = 'expected an ONNX model or a .ttq file'

/**
 * The file that a command's operand names, whole.
 * @throws TtqError `model` when there is no such file, or nothing in it; `usage` when stdin is a terminal
 */
export async function readModelInput(args: Arguments, signal: AbortSignal): Promise<ModelInput> {
  const path = args.operand
  const isPipe = path === '-' || isPipeAt(path)
  const externalData = externalDataFor(args, isPipe)
  const name = path === '-' ? 'stdin' : path
  const bytes = path === '-' ? filled(await readStdin(signal), name) : await bytesAt(path, signal)
  return { name, bytes, overwrite: true, externalData }
}

// Of a file or a pipe.
async function bytesAt(path: string, signal: AbortSignal): Promise<Uint8Array> {
  return filled(isPipeAt(path) ? await readModelStream(pipeAt(path), path, signal) : readWhole(path), path)
}

function filled(bytes: Uint8Array, name: string): Uint8Array {
  if (bytes.length === 0) throw new TtqError('model', `${name}: found no bytes, ${EXPECTED}`)
  return bytes
}

/** Files that --teacher names, and how the library takes them. */
interface TeacherInput {
  files: readonly string[]
  /** Nothing where there is none. */
  options: Pick<GivenOptions<'compress'>, 'teachers'>
}

/** @throws TtqError `model` when there is no such file, or nothing in it */
export async function readTeachers(args: Arguments, signal: AbortSignal): Promise<TeacherInput> {
  const given = commandLineOption(args, 'teacher') as readonly string[] | undefined
  if (given === undefined) return { files: [], options: {} }
  const teachers: (TeacherWord | NetworkFile)[] = []
  for (const name of given) {
    if (isTeacherWord(name)) teachers.push(name)
    else teachers.push({ name, bytes: await bytesAt(name, signal), externalData: externalDataIn(dirname(name)) })
  }
  return { files: given.filter((name) => !isTeacherWord(name)), options: { teachers } }
}

function isTeacherWord(text: string): text is TeacherWord {
  return (TEACHER_WORDS as readonly string[]).includes(text)
}

// From where the user says, or from beside the model where it stands in a folder.
function externalDataFor(args: Arguments, isPipe: boolean): ModelInput['externalData'] {
  const given = textOption(args, 'externalData')
  if (given === undefined) {
    if (!isPipe) return externalDataIn(dirname(args.operand))
    return () => {
      throw new TtqError('model', 'the network comes from a pipe', {
        hint: "Name the folder of the network's data with --external-data.",
      })
    }
  }
  const isFolder = statSync(given, { throwIfNoEntry: false })?.isDirectory() === true
  if (!isFolder) throw new TtqError('usage', `--external-data: found no folder ${given}`)
  return externalDataIn(given)
}

async function readStdin(signal: AbortSignal): Promise<Uint8Array> {
  if (process.stdin.isTTY)
    throw new TtqError('usage', 'stdin: found a terminal, expected a model', {
      hint: 'Pipe a file in: ttq inspect - < model.onnx',
    })
  return await readModelStream(process.stdin, 'stdin', signal)
}

// Up to its end, or as far as it can be a model.
async function readModelStream(stream: Readable, name: string, signal: AbortSignal): Promise<Uint8Array> {
  return await readStream(stream, signal, (chunk, length) => {
    if (length > MOST_BYTES) throw new TtqError('model', `${name}: found more than 2 GB, ${EXPECTED}`)
    return length === chunk.length && !isPlausible(chunk)
  })
}

// Whether bytes may begin a model: the magic of .ttq, or the tag of a field that an ONNX model has. Of anything else
// the beginning is enough for the message, be it endless.
function isPlausible(bytes: Uint8Array): boolean {
  const [tag = 0] = bytes
  const wire = tag & 7
  return isPacked(bytes) || (tag >= 8 && (wire === 0 || wire === 2))
}

/** What is said of a file that is not there. */
export function noSuchModel(path: string, cause?: unknown): TtqError {
  const closest = closestFile(path)
  return new TtqError('model', `${path}: found no such file, ${EXPECTED}`, {
    facts: { path },
    ...(closest === undefined ? {} : { hint: `did you mean ${closest}?` }),
    cause,
  })
}

function readWhole(path: string): Uint8Array {
  try {
    return readRegular(path)
  } catch (cause) {
    if (hasErrno(cause, 'ENOENT')) throw noSuchModel(path, cause)
    throw new TtqError('model', `${path}: ${readFault(cause)}, ${EXPECTED}`, { facts: { path }, cause })
  }
}

/**
 * A reader of files in a folder. A location comes from the model and may not lead out of the folder; links in the
 * folder are the user's own (download caches are full of them) and are followed.
 */
function externalDataIn(folder: string): ModelInput['externalData'] {
  // Of a large network every layer is read when its turn comes.
  const times = new Map<string, number>()
  return (location, offset = 0, length) => {
    if (isAbsolute(location) || normalize(location).split(sep)[0] === '..')
      throw new Error(`"${location}" leads out of the model's folder`)
    const path = join(folder, location)
    // A pipe of that name would block.
    if (!statSync(path).isFile()) throw new Error(`"${location}" is no regular file`)
    if (isLocked(realpathSync(path)))
      throw new TtqError('usage', `${path} holds data of the network, expected another file to write`)
    const file = openSync(path, 'r')
    try {
      const { size, mtimeMs } = fstatSync(file)
      if ((times.get(location) ?? mtimeMs) !== mtimeMs) throw new Error(`"${location}" was changed in the meantime`)
      times.set(location, mtimeMs)
      const wanted = length ?? size - offset
      if (offset + wanted > size) throw new Error(`"${location}" has ${size} bytes, expected ${offset + wanted}`)
      const bytes = new Uint8Array(wanted)
      for (let done = 0, read = 1; done < wanted && read > 0; done += read)
        read = readSync(file, bytes, done, wanted - done, offset + done)
      return bytes
    } finally {
      closeSync(file)
    }
  }
}
