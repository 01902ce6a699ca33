// The file that says what classes are called, in the order of their numbers.
import { readFault } from '../errors/errno-text.js'
import { printable } from '../errors/printable.js'
import { TtqError } from '../errors/ttq-error.js'
import type { GivenNames } from './class-names.js'
import { readRegular } from './dataset-files.js'
import { decodeText, NO_TEXT } from './decode-text.js'

/**
 * Names of classes in the order of their numbers: one a line, a JSON list, or a JSON object `{"0": "cat", "1": "dog"}`.
 * @throws TtqError `data`
 */
export async function readClassNames(file: string): Promise<GivenNames> {
  const bytes = await readRegular(file).catch((cause: unknown) => {
    throw new TtqError('data', `${file}: ${readFault(cause)}, expected the names of the classes`, {
      facts: { file },
      hint: 'one name a line, in the order in which the network has its outputs',
      cause,
    })
  })
  const text = decodeText(bytes)
  if (text === undefined)
    throw new TtqError('data', `${file}: found ${NO_TEXT}`, { facts: { file }, hint: 'one name a line' })
  const names = /^\s*[[{]/.test(text) ? namesInJson(text, file) : text.split(/\r?\n/).map((line) => line.trim())
  while (names.at(-1) === '') names.pop()
  const empty = names.findIndex((each) => each === '')
  const double = names.find((each, i) => names.indexOf(each) !== i)
  if (names.length === 0 || empty >= 0 || double !== undefined) {
    const line = empty >= 0 ? `no name in line ${empty + 1}` : `"${printable(double ?? '')}" twice`
    throw new TtqError('data', `${file}: found ${names.length === 0 ? 'no names' : line}, expected each class once`, {
      facts: { file },
      hint: 'one name a line, in the order in which the network has its outputs',
    })
  }
  return { file, names }
}

function namesInJson(text: string, file: string): string[] {
  try {
    const value: unknown = JSON.parse(text)
    const entries = Array.isArray(value)
      ? (value as unknown[])
      : Object.entries(value as object).reduce<unknown[]>((list, [key, name]) => {
          if (!/^\d{1,6}$/.test(key)) throw new Error(`"${key}" is no number`)
          list[Number(key)] = name
          return list
        }, [])
    return Array.from(entries, (name, i) => {
      if (typeof name !== 'string') throw new Error(`class ${i} has no name`)
      return name
    })
  } catch (cause) {
    const reason = printable((cause as Error).message)
    throw new TtqError('data', `${file}: ${reason}, expected a JSON list of names, or {"0": "cat", "1": "dog"}`, {
      facts: { file },
      hint: 'every number from 0 up needs a name',
      cause,
    })
  }
}
