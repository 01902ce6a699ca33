// Python's pickles, as far as the archives of CIFAR have them: dictionaries, lists, texts, numbers and NumPy's arrays.
// A pickle is a program for Python; nothing of it is executed here. Every instruction that is not one of those that
// these files use is refused by name, as is every function that they do not call.
// (https://github.com/python/cpython/blob/main/Lib/pickletools.py lists the instructions.)
import { dataViewOf } from '../tensor/bytes.js'

/** A NumPy array of bytes. */
export interface PickledBytes {
  dims: readonly number[]
  data: Uint8Array
}

export type Pickled = null | boolean | number | string | PickledBytes | Pickled[] | { [key: string]: Pickled }

/** What is on the way to be a value. */
type Item = Pickled | Mark | Callable | Item[] | ArrayItem

class Mark {}
/** A function or class of Python by its name: one of those below. */
class Callable {
  constructor(readonly name: string) {}
}
/** An array or its type, which get what they hold after they were made. */
class ArrayItem implements PickledBytes {
  dims: readonly number[] = []
  data = new Uint8Array()
  isBytes = false
}

const CALLABLES: readonly string[] = [
  'numpy.core.multiarray _reconstruct',
  'numpy._core.multiarray _reconstruct',
  'numpy ndarray',
  'numpy dtype',
]

/** @throws Error that says which instruction is not read, or what is damaged */
export function parsePickle(bytes: Uint8Array): Pickled {
  const stack: Item[] = []
  const memory = new Map<number, Item>()
  const view = dataViewOf(bytes)
  let at = 0
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new Error('ends in the middle')
    at += length
    return bytes.subarray(at - length, at)
  }
  const number = (length: 1 | 2 | 4): number => {
    take(length)
    const from = at - length
    return length === 1 ? view.getUint8(from) : length === 2 ? view.getUint16(from, true) : view.getUint32(from, true)
  }
  // Texts of Python 2 are bytes: pixels, too. (TextDecoder's latin1 is another one, of Windows.)
  const text = (length: number): string => Buffer.from(take(length)).toString('latin1')
  const utf8 = (length: number): string => new TextDecoder().decode(take(length))
  const line = (): string => {
    const end = bytes.indexOf(10, at)
    if (end < 0) throw new Error('ends in the middle')
    const found = text(end - at)
    at++
    return found
  }
  const pop = (): Item => {
    const item = stack.pop()
    if (item === undefined || item instanceof Mark) throw new Error('damaged: nothing on the stack')
    return item
  }
  const sinceMark = (): Item[] => {
    const mark = stack.findLastIndex((item) => item instanceof Mark)
    if (mark < 0) throw new Error('damaged: no mark')
    const items = stack.splice(mark)
    return items.slice(1)
  }
  const top = (): Item => {
    const item = pop()
    stack.push(item)
    return item
  }
  const remember = (key: number): void => {
    memory.set(key, top())
  }
  const recall = (key: number): void => {
    const item = memory.get(key)
    if (item === undefined) throw new Error('damaged: nothing remembered')
    stack.push(item)
  }
  const append = (items: readonly Item[]): void => {
    const list = top()
    if (!Array.isArray(list)) throw new Error('damaged: no list')
    ;(list as Item[]).push(...items)
  }
  const set = (items: readonly Item[]): void => {
    const target = top()
    if (typeof target !== 'object' || target === null || Array.isArray(target) || target.constructor !== Object)
      throw new Error('damaged: no dictionary')
    for (let i = 0; i + 1 < items.length; i += 2)
      Object.defineProperty(target, String(items[i] as string), {
        value: items[i + 1],
        enumerable: true,
        configurable: true,
        writable: true,
      })
  }
  const last = (count: number): Item[] => Array.from({ length: count }, pop).reverse()
  const instructions: Readonly<Record<number, () => void>> = {
    0x80: () => void take(1),
    0x95: () => void take(8),
    0x28: () => stack.push(new Mark()), // (
    0x7d: () => stack.push({}), // }
    0x5d: () => stack.push([]), // ]
    0x29: () => stack.push([]), // )
    0x4e: () => stack.push(null), // N
    0x88: () => stack.push(true),
    0x89: () => stack.push(false),
    0x4b: () => stack.push(number(1)), // K
    0x4d: () => stack.push(number(2)), // M
    0x4a: () => stack.push(number(4) | 0), // J
    0x55: () => stack.push(text(number(1))), // U
    0x54: () => stack.push(text(number(4))), // T
    0x43: () => stack.push(text(number(1))), // C
    0x42: () => stack.push(text(number(4))), // B
    0x58: () => stack.push(utf8(number(4))), // X
    0x8c: () => stack.push(utf8(number(1))),
    0x71: () => {
      remember(number(1))
    }, // q
    0x72: () => {
      remember(number(4))
    }, // r
    0x94: () => {
      remember(memory.size)
    },
    0x68: () => {
      recall(number(1))
    }, // h
    0x6a: () => {
      recall(number(4))
    }, // j
    0x61: () => {
      append(last(1))
    }, // a
    0x65: () => {
      append(sinceMark())
    }, // e
    0x73: () => {
      set(last(2))
    }, // s
    0x75: () => {
      set(sinceMark())
    }, // u
    0x74: () => stack.push(sinceMark()), // t
    0x85: () => stack.push(last(1)),
    0x86: () => stack.push(last(2)),
    0x87: () => stack.push(last(3)),
    0x63: () => stack.push(callable(line(), line())), // c
    0x93: () => {
      const [module, name] = last(2)
      stack.push(callable(textIn(module), textIn(name)))
    },
    0x52: () => {
      stack.push(called(...(last(2) as [Item, Item])))
    }, // R
    0x62: () => {
      build(...(last(2) as [Item, Item]), stack)
    }, // b
  }
  for (;;) {
    const code = number(1)
    if (code === 0x2e) break
    const instruction = instructions[code]
    if (instruction === undefined)
      throw new Error(`instruction 0x${code.toString(16).padStart(2, '0')} at byte ${at - 1} is not read`)
    instruction()
  }
  return pop() as Pickled
}

function textIn(item: Item | undefined): string {
  return typeof item === 'string' ? item : ''
}

function callable(module: string, name: string): Callable {
  const full = `${module} ${name}`
  if (!CALLABLES.includes(full)) throw new Error(`it calls ${full.replace(' ', '.').slice(0, 60)}, which is not done`)
  return new Callable(full)
}

function called(what: Item, given: Item): Item {
  if (!(what instanceof Callable)) throw new Error('damaged: no function')
  const item = new ArrayItem()
  if (what.name === 'numpy dtype') item.isBytes = Array.isArray(given) && given[0] === 'u1'
  return item
}

// State of an array: version, shape, type, whether in Fortran's order, bytes. That of a type says nothing new of bytes.
function build(target: Item, state: Item, stack: Item[]): void {
  if (!(target instanceof ArrayItem) || !Array.isArray(state)) throw new Error('damaged: no array')
  const [, dims, type, isFortran, data] = state
  if (Array.isArray(dims)) {
    if (!(type instanceof ArrayItem && type.isBytes)) throw new Error('an array of another type than uint8 is not read')
    if (typeof data !== 'string' || isFortran === true || dims.some((dim) => typeof dim !== 'number'))
      throw new Error('an array in another order than rows is not read')
    target.dims = dims as number[]
    target.data = Uint8Array.from(Buffer.from(data, 'latin1'))
    if (target.data.length !== target.dims.reduce((product, dim) => product * dim, 1))
      throw new Error(`damaged: ${target.data.length} bytes for shape [${target.dims.join(',')}]`)
  }
  stack.push(target)
}
