// The licence of each package in a bundle. Some packages come without the text of theirs.
import { readdirSync, readFileSync } from 'node:fs'

/** @param metafile of esbuild: what is in the bundle */
export function licencesOf({ inputs }) {
  const folders = new Set(
    Object.keys(inputs).flatMap((path) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/)?.[0] ?? []),
  )
  const texts = [...folders].sort().map((folder) => {
    const { name, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'))
    const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each))
    return `${name} (${license})\n\n${file === undefined ? '' : readFileSync(`${folder}/${file}`, 'utf8')}`
  })
  return [...new Set(texts)].join('\n\n')
}
