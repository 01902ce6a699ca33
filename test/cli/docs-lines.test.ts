// Every ttq command in the documents is one that the program takes: command, options, their values, what contradicts
// what. Nothing is done: settings are checked as --print-config checks them. JavaScript in the documents is JavaScript.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { transform } from 'esbuild'
import { commandsFor } from '../../src/cli/command-list.js'
import { givenValues, namesOf } from '../../src/cli/command-options.js'
import { checkOperands, parseArguments } from '../../src/cli/parse-arguments.js'
import { JOBS } from '../../src/options/option-table.js'
import { optionOrigins } from '../../src/options/option-origins.js'

const ROOT = resolve(import.meta.dirname, '../../..')
const PAGES = [
  ...readdirSync(join(ROOT, 'docs')).map((file) => `docs/${file}`),
  ...['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'python/README.md', 'bench/README.md'],
  ...readdirSync(join(ROOT, 'examples')).map((file) => `examples/${file}`),
]

// Lines that begin with it, as they stand or behind a prompt, in brackets, or as a step of a workflow; and inline code.
// A backslash at the end of a line is no end; a line break within inline code is a space.
function commandsIn(text: string): { line: string; whole: boolean }[] {
  const lines = [...text.replaceAll('\\\n', ' ').matchAll(/^[ #]*(?:[$-] |- run: |source <\()*(ttq [^\n]*)/gm)]
  const inline = [...text.matchAll(/`(ttq\s[^`]*)`/g)].filter(([, code = '']) => !code.includes('\n\n'))
  const found = (matches: readonly RegExpMatchArray[], whole: boolean): { line: string; whole: boolean }[] =>
    matches.map((match) => ({ line: (match[1] as string).replace(/\s+/g, ' '), whole }))
  return [...found(lines, true), ...found(inline, false)]
}

/** What a shell makes of the first command of a line; undefined where a word is left out, as in `ttq help <topic>`. */
function wordsOf(command: string): string[] | undefined {
  const words: string[] = []
  for (const [, single, double, bare] of command.matchAll(/'([^']*)'|"([^"]*)"|([^\s'"]+)/g)) {
    if (bare !== undefined && /^(#|\||\d?[<>]|;|&|\)|`)/.test(bare) && !/^<[a-z-]+>/.test(bare)) break
    words.push(single ?? double ?? (bare as string).replace(/[);]+$/, ''))
  }
  return words.some((word) => /[<…]|\w\|\w|^\.\.\.$|[$][({]/.test(word)) ? undefined : words.slice(1)
}

// Prose that begins a line with the program's name.
const isSentence = (words: readonly string[], names: readonly string[]): boolean =>
  !names.includes(words[0] ?? '') && !(words[0] ?? '').startsWith('-')

describe('commands in the documents', () => {
  const seen = new Set<string>()
  for (const page of PAGES)
    test(page, async () => {
      const names = (await commandsFor([])).map(({ name }) => name)
      for (const { line, whole } of commandsIn(readFileSync(join(ROOT, page), 'utf8'))) {
        const words = wordsOf(line)
        if (words === undefined || isSentence(words, names) || seen.has(line)) continue
        seen.add(line)
        try {
          await check(words, whole)
        } catch (error) {
          throw new Error(`${line}: ${(error as Error).message}`, { cause: error })
        }
      }
    })

  test('are some', () => {
    assert.ok(seen.size > 130, `${seen.size}`)
  })
})

// Of inline code, other options may have to stand beside those that are shown, and a command's name alone stands for
// it.
async function check(words: readonly string[], whole: boolean): Promise<void> {
  if (words.length === 1 && !whole) return
  const parsed = parseArguments(words, { commands: await commandsFor(words), version: '', columns: 80 })
  if (parsed.kind !== 'run') return
  const { command, args } = parsed
  const job = command.job ?? JOBS.find((each) => each === command.name)
  const options = job === undefined ? {} : givenValues(args, job)
  if (!whole) return
  // A config file may name the model.
  if (args.operands.length > 0) checkOperands(command, args.operands)
  if (job !== undefined && args.operands.length > 0) optionOrigins(job, options, namesOf(args))
}

describe('JavaScript and TypeScript in the documents', () => {
  let found = 0
  for (const page of PAGES.filter((each) => each.endsWith('.md')))
    test(page, async () => {
      const text = readFileSync(join(ROOT, page), 'utf8')
      for (const [, kind, code = ''] of text.matchAll(/```(js|ts|html)\n([\s\S]*?)```/g)) {
        found++
        const script = kind === 'html' ? (/<script type="module">([\s\S]*?)<\/script>/.exec(code)?.[1] ?? '') : code
        // Lines of an object, each by itself, where it is no module.
        const lines = script.split('\n').map((line) => `({ ${line}\n})`)
        const parts = /^\w+: /.test(script) ? lines : [script]
        for (const part of parts) await transform(part, { loader: kind === 'ts' ? 'ts' : 'js', logLevel: 'silent' })
      }
    })

  test('are some', () => {
    assert.ok(found > 6, `${found}`)
  })
})
