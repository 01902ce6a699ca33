// HTML as tests look at it: a strict reader that fails where a tag is not closed in its place.

export interface Element {
  name: string
  attributes: ReadonlyMap<string, string>
  /** All text in it. */
  text: string
  children: readonly Element[]
}

const VOID = new Set(['meta', 'img', 'wbr'])
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }

/** The headings of a page's sections. */
export function sectionsOf(html: string): string[] {
  return elements(readMarkup(html))
    .filter(({ name }) => name === 'h2')
    .map(({ text }) => text)
}

/** @throws Error for markup that no writer of ours should make */
export function readMarkup(html: string): Element {
  const root: { name: string; attributes: Map<string, string>; text: string; children: Element[] } = {
    name: '',
    attributes: new Map(),
    text: '',
    children: [],
  }
  const open = [root]
  const body = html.replace(/^<!doctype html>\n/, '')
  for (const { 0: token, index } of body.matchAll(/<[^>]*>|[^<]+/g)) {
    const top = open.at(-1) as typeof root
    if (!token.startsWith('<')) {
      for (const each of open) each.text += top.name === 'style' ? '' : plain(token)
      continue
    }
    const [, slash, name = '', listed = '', end] =
      /^<(\/?)([a-z][a-z0-9]*)((?: [a-z-]+="[^"<>]*")*)(\/?)>$/i.exec(token) ?? []
    if (name === '') throw new Error(`${token} at ${index} is no tag`)
    if (slash === '/') {
      if (top.name !== name) throw new Error(`</${name}> at ${index} closes <${top.name}>`)
      open.pop()
      continue
    }
    const attributes = new Map(
      [...listed.matchAll(/ ([a-z-]+)="([^"]*)"/gi)].map(([, key = '', value = '']) => [key, plain(value)]),
    )
    const element = { name, attributes, text: '', children: [] }
    top.children.push(element)
    if (end !== '/' && !VOID.has(name)) open.push(element)
  }
  if (open.length > 1) throw new Error(`<${open.at(-1)?.name}> is not closed`)
  return root
}

/** All elements in it. */
export function elements(root: Element): Element[] {
  return root.children.flatMap((child) => [child, ...elements(child)])
}

function plain(text: string): string {
  return text.replace(/&([^;\s]*);?/g, (whole, name: string) => {
    const found = ENTITIES[name]
    if (found === undefined) throw new Error(`${whole} is no entity of ours`)
    return found
  })
}
