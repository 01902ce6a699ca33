// The words in the names of arrays and columns that say what they are for.

export const PART_WORDS = {
  train: ['train', 'training', 'trn'],
  test: ['test', 'testing', 'tst'],
  validation: ['val', 'valid', 'validation', 'dev', 'eval'],
} as const

const LABEL_WORDS: readonly string[] = ['y', 'label', 'labels', 'target', 'targets', 'class', 'classes']

export function isLabelWord(word: string): boolean {
  return LABEL_WORDS.includes(word.toLowerCase())
}

/** The words of an array's name that say what it is, and the part that another one is for. */
export function splitName(name: string): { part: PartName | undefined; own: string[] } {
  const words = wordsOf(name)
  const isOne = (list: readonly string[], word: string): boolean => list.includes(word.toLowerCase())
  const part = (['train', 'test', 'validation'] as const).find((each) =>
    words.some((word) => isOne(PART_WORDS[each], word)),
  )
  return { part, own: part === undefined ? words : words.filter((word) => !isOne(PART_WORDS[part], word)) }
}

/** Whether an array of this name holds labels. */
export function isLabelName(name: string): boolean {
  const { own } = splitName(name)
  return own.length > 0 && own.every(isLabelWord)
}

/** The column that has the labels: so called, or something like it; undefined where none is. */
export function labelColumn(names: readonly string[]): string | undefined {
  return names.find(isLabelWord) ?? names.find((each) => /label|class|category|target/i.test(each))
}

export type PartName = keyof typeof PART_WORDS

/** The part that the first such word in a path is for: `data/train-00000-of-00002.parquet`. */
export function partInPath(path: string): PartName | undefined {
  return path
    .split(/[^A-Za-z]+/)
    .map(partNamed)
    .find((part) => part !== undefined)
}

/** The words of an array's name, which are parted by `_`, `.`, `-` or `/`. */
export function wordsOf(name: string): string[] {
  return name.split(/[_.\-/]+/).filter((word) => word !== '')
}

/** The part that a word is for. */
export function partNamed(word: string): PartName | undefined {
  const own = word.toLowerCase()
  return (['train', 'test', 'validation'] as const).find((part) => PART_WORDS[part].some((each) => each === own))
}
