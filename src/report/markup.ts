// Text inside HTML and SVG. Names of networks, files and classes may hold anything.
import { printable } from '../errors/printable.js'

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text that is shown and nothing else, between tags and within attributes. */
export function escaped(content: string): string {
  return printable(content).replace(/[&<>"']/g, (character) => ENTITIES[character] as string)
}

/** The same, where names too long for a line break behind their separators, and no word within itself. */
export function breakable(content: string): string {
  return content
    .split(/(?<=[\p{L}\d][_.])(?=\p{L})|(?<=\/)(?=[\p{L}\d])/u)
    .map(escaped)
    .join('<wbr>')
}

/** An element. @param content markup; absent for one that has none */
export function element(name: string, attributes: Attributes, content?: string): string {
  const listed = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? rounded(value) : escaped(value as string)}"`)
    .join('')
  return content === undefined ? `<${name}${listed}/>` : `<${name}${listed}>${content}</${name}>`
}

export type Attributes = Readonly<Record<string, string | number | undefined>>

/** As fine as a picture needs. */
export function rounded(value: number): number {
  return Math.round(value * 10) / 10
}
