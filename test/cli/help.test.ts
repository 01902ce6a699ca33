// Help texts are pinned word by word: test/cli/help/<command>.txt, 100 columns wide.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { commandsFor } from '../../src/cli/command-list.js'
import { runHere } from './run-here.js'
import { run, temporaryFolder } from './run-program.js'

const ROOT = resolve(import.meta.dirname, '../../..')
const TEXTS = join(ROOT, 'test/cli/help')

describe('help', () => {
  const folder = temporaryFolder()
  const pinned = (name: string): string => readFileSync(join(TEXTS, `${name}.txt`), 'utf8')

  test('ttq --help and -h', async () => {
    for (const option of ['--help', '-h']) {
      const { code, stdout, stderr } = await run(folder, [option])
      assert.equal(stdout, pinned('ttq'))
      assert.equal(stderr, '')
      assert.equal(code, 0)
    }
  })

  test('every command has a text', async () => {
    const names = (await commandsFor([])).map(({ name }) => name)
    assert.deepEqual(readdirSync(TEXTS).sort(), [...names, 'ttq'].map((name) => `${name}.txt`).sort())
  })

  for (const command of readdirSync(TEXTS).map((file) => file.replace('.txt', ''))) {
    if (command === 'ttq') continue
    test(`ttq ${command} --help`, async () => {
      const { code, stdout, stderr } = await runHere(folder, [command, '--help'])
      assert.equal(stdout, pinned(command))
      // The build measures the width of help as the length of plain text (bin/bundle.js).
      assert.match(stdout, /^[\n\x20-\x7e]*$/)
      assert.equal(stderr, '')
      assert.equal(code, 0)
    })
  }

  test('no arguments: help on stderr, bad usage', async () => {
    const { code, stdout, stderr } = await run(folder, [])
    assert.equal(stderr, pinned('ttq'))
    assert.equal(stdout, '')
    assert.equal(code, 2)
  })

  test('--version is that of package.json', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
    const { code, stdout } = await run(folder, ['--version'])
    assert.equal(stdout, `${version}\n`)
    assert.equal(code, 0)
  })
})
