// What a report's page says, as plain data: headline, sections, and in them facts, tables, charts, pictures. How it
// looks
// is html-page.ts and markdown-page.ts.

export interface Page {
  title: string
  /** What it is about, in a line. */
  subtitle: string
  /** The few numbers that everybody asks for. */
  tiles: readonly Tile[]
  warnings: readonly string[]
  sections: readonly Section[]
}

export interface Tile {
  name: string
  value: string
  note: string
}

export interface Section {
  title: string
  /** A section without any is not there. */
  blocks: readonly Block[]
}

export type Block =
  | { kind: 'text'; text: string }
  | { kind: 'facts'; facts: readonly Fact[] }
  | { kind: 'table'; table: Table }
  | { kind: 'bars'; bars: Bars }
  | { kind: 'charts'; charts: readonly Chart[] }
  | { kind: 'pictures'; caption: string; pictures: readonly Picture[] }
  | { kind: 'command'; command: string }
  /** Beside each other, where there is room. */
  | { kind: 'beside'; blocks: readonly Block[] }
  /** What is closed at first. */
  | { kind: 'fold'; title: string; note: string; blocks: readonly Block[] }

export type Fact = readonly [name: string, value: string]

export interface Table {
  /** What it is, for those who hear it read. */
  caption: string
  header: readonly string[]
  rows: readonly (readonly string[])[]
  /** Columns of numbers. */
  numbers: readonly number[]
}

/** A table whose rows have a bar each. */
export interface Bars {
  caption: string
  /** Of what stands beside the bars. */
  header: readonly string[]
  keys: readonly Key[]
  rows: readonly { label: string; note?: string; parts: readonly Part[]; cells: readonly string[] }[]
  /** What a whole bar stands for. Default: the longest one. */
  whole?: number
}

export interface Part {
  tone: Tone
  value: number
}

/** A colour by its meaning. */
export type Tone = 'positive' | 'zero' | 'negative' | 'plain' | 'other'

export interface Key {
  tone: Tone
  label: string
  /** Drawn dashed in a chart of lines, so that it can be told without colour. */
  isDashed?: boolean
}

export interface Chart {
  title: string
  /** For those who do not see it. */
  description: string
  keys: readonly Key[]
  width: number
  height: number
  /** SVG between the tags. */
  content: string
  /** The same in numbers. */
  table?: Table
}

export interface Picture {
  /** PNG in base64. */
  png: string
  caption: string
  note?: string
  /** What is seen, for those who do not. */
  alternative: string
  /** Pixels on the page. */
  width: number
}

/** A file's name without its folders. */
export function fileName(path: string): string {
  return path.split(/[\\/]/).at(-1) || path
}

/** A block where there is something to say, for lists of blocks. */
export function when<T>(value: T | null | undefined, block: (value: T) => Block): Block[] {
  return value === null || value === undefined ? [] : [block(value)]
}

/** Facts that are known. */
export function known(pairs: readonly (readonly [string, string | null | undefined])[]): Fact[] {
  return pairs.flatMap(([name, value]) =>
    value === null || value === undefined || value === '' ? [] : [[name, value]],
  )
}
