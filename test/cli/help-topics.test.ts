// ttq help: topics out of docs/, commands, the man page.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { commandsFor } from '../../src/cli/command-list.js'
import { TOPICS } from '../../src/cli/help-topics.js'
import { manPage } from '../../src/cli/man-page.js'
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
