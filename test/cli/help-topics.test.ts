// ttq help: topics out of docs/, commands, the man page.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { commandsFor } from '../../src/cli/command-list.js'
import { TOPICS } from '../../src/cli/help-topics.js'
import { manPage } from '../../src/cli/man-page.js'
import { markdownText } from '../../src/report/markdown-text.js'
import { runHere } from './run-here.js'
import { temporaryFolder } from './run-program.js'

const ROOT = resolve(import.meta.dirname, '../../..')

describe('help topics', () => {
  const folder = temporaryFolder()
  const help = async (topic: string): Promise<string> => {
    const { code, stdout, stderr } = await runHere(folder, ['help', topic])
    assert.equal(stderr, '')
    assert.equal(code, 0)
    return stdout
  }

  for (const topic of Object.keys(TOPICS))
    test(`ttq help ${topic}`, async () => {
      const text = await help(topic)
      assert.ok(text.length > 300)
      assert.doesNotMatch(text, /\]\([^)]*\.md/)
    })

  test('a command, as its own --help says it', async () => {
    const { stdout } = await runHere(folder, ['unpack', '--help'])
    assert.equal(await help('unpack'), stdout)
  })

  test('a heading, as messages name it', async () => {
    const text = await help('docs/datasets.md#input-values')
    assert.match(text, /^## Input values\nPixels 0\.\.255 become /)
    assert.doesNotMatch(text, /^## Without labels/m)
    assert.equal(await help('datasets#input-values'), text)
  })
})

describe('in a terminal', () => {
  test('every page stays within the width, and nothing of it is lost', () => {
    const pages = readdirSync(join(ROOT, 'docs')).filter((file) => file.endsWith('.md'))
    assert.ok(pages.length > 10)
    for (const file of pages)
      for (const width of [60, 80, 100]) {
        const page = readFileSync(join(ROOT, 'docs', file), 'utf8')
        const text = markdownText(page, width)
        for (const line of text.split('\n')) {
          const isWord = !line
            .trim()
            .replace(/^[-*] /, '')
            .includes(' ')
          if (line.length > width && !isWord) assert.ok(page.includes(line.trim()), `${file}, ${width}: ${line}`)
        }
        const words = (of: string): string[] => of.replace(/[|:\s\\-]+|^```.*$/gm, ' ').split(/\s+/)
        const [before, after] = [words(page), new Set(words(text))]
        const lost = before.filter((word) => !after.has(word))
        // Headers of tables that have become lists, where there are two columns.
        assert.ok(lost.length < before.length / 100, `${file}, ${width}: ${lost.join(' ')}`)
      }
  })

  test('word by word', () => {
    const page = [
      '# Title of a page that is longer than the width',
      'Some words that',
      'go on in a second line.',
      '- an item of a list which is wrapped',
      '1. second',
      '',
      '```sh',
      'ttq compress a.onnx --data photos --epochs 12',
      '```',
      '| a | b |',
      '|---|---|',
      '| `x\\|y` | one two three four five six seven eight nine ten eleven |',
      '| z | short |',
      '',
      '| long name of an option | unit | meaning |',
      '|---|---|---|',
      '| first of all of them | ms | how long it took, and what it was that took so long |',
    ].join('\n')
    assert.equal(
      markdownText(page, 50),
      [
        '# Title of a page that is longer than the width',
        'Some words that go on in a second line.',
        '- an item of a list which is wrapped',
        '1. second',
        '',
        '    ttq compress a.onnx --data photos --epochs 12',
        'a      b',
        '`x|y`  one two three four five six seven eight',
        '       nine ten eleven',
        'z      short',
        '',
        'first of all of them',
        '    unit: ms',
        '    how long it took, and what it was that took so',
        '    long',
        '',
      ].join('\n'),
    )
  })
})

describe('man page', () => {
  test('has every command and option, and is the one in the package', async () => {
    const commands = await commandsFor('all')
    const text = manPage(commands)
    for (const { name, options } of commands) {
      assert.ok(text.includes(`.SS "ttq ${name}`), name)
      for (const option of Object.keys(options))
        assert.ok(text.includes(`\\-\\-${option.replaceAll('-', '\\-')}`), option)
    }
    assert.equal(readFileSync(join(ROOT, 'dist/ttq.1'), 'utf8'), text)
  })

  test('groff has nothing to complain of', { skip: spawnSync('groff', ['--version']).status !== 0 }, async () => {
    const page = join(temporaryFolder(), 'ttq.1')
    writeFileSync(page, manPage(await commandsFor('all')))
    const { status, stdout, stderr } = spawnSync('groff', ['-man', '-ww', '-Tascii', page], { encoding: 'utf8' })
    assert.equal(stderr, '')
    assert.equal(status, 0)
    // Bold, as old printers made it.
    assert.match(stdout.replace(/.[\b]/g, ''), /--keep "\*downsample\*"/)
  })
})
