// Elements of the page: made anew, and found in index.html.

type Properties<K extends keyof HTMLElementTagNameMap> = Partial<
  Pick<HTMLElementTagNameMap[K], Extract<keyof HTMLElementTagNameMap[K], string>>
>

/** @param children texts stay texts, whatever a file's names hold */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties<K> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(tag), properties)
  made.append(...children)
  return made
}

/** An element of index.html. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`internal: index.html has no #${id}`)
  return found as T
}

/** A piece of a bar. @param share of the bar's length */
export function bar(className: string, share: number): HTMLElement {
  const piece = element('span', { className: `bar ${className}` })
  piece.style.width = `${(100 * share).toFixed(2)}%`
  return piece
}
