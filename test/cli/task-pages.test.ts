// The pages by task: their commands run one after the other, as they stand there, and so does what is to be compiled.
// The web page of docs/browser-app.md is run by test/standalone.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import * as ort from 'onnxruntime-node'
import { images, put, putPhotos } from './docs-material.js'
import { runHere } from './run-here.js'
import { temporaryFolder } from './run-program.js'

const ROOT = resolve(import.meta.dirname, '../../..')
const pageOf = (name: string): string => readFileSync(join(ROOT, 'docs', `${name}.md`), 'utf8')

/** What is done instead, of data and pictures that take long. */
const INSTEAD: readonly (readonly [found: string | RegExp, instead: string])[] = [
  ['--data mnist --keep-names', '--keep-names'],
  ['--data mnist', '--data photos'],
  ['--resize 256 --crop 224', '--resize 18 --crop 16'],
  ['fixtures/mnist-lenet.onnx', join(ROOT, 'fixtures/mnist-lenet.onnx')],
  [/ > report.json$/, ''],
]

// Networks of random weights decide by chance, one epoch shows as much as eight, and an output may be there already.
function shortened(words: readonly string[]): string[] {
  const has = (option: string): boolean => words.includes(option)
  const training = has('--data') && !has('--epochs')
  const quick = training ? ['--epochs', '1', '--batch', '8'] : ['--samples', '8']
  if (words[0] === 'compress') return ['--force', '--threads', '1', ...(has('--data') ? ['--anyway'] : []), ...quick]
  return ['unpack', 'compare'].includes(words[0] as string) ? ['--force'] : []
}

/** What a page's commands find, besides model.onnx and photos. */
const PREPARE: Readonly<Record<string, (folder: string) => Promise<void>>> = {
  pytorch: () => Promise.resolve(),
  'no-data': () => Promise.resolve(),
  ci: async (folder) => {
    put(folder, 'models/a.onnx', images(2, 16))
    await runHere(folder, ['compress', 'model.onnx', '--samples', '8', '--threads', '1', '--report', 'main.json'])
    copyFileSync(join(folder, 'model.ttq'), join(folder, 'released.ttq'))
  },
}

describe('pages by task', () => {
  for (const [name, prepare] of Object.entries(PREPARE))
    test(`docs/${name}.md`, async () => {
      const folder = temporaryFolder()
      putPhotos(folder)
      put(folder, 'model.onnx', images(2, 16))
      await prepare(folder)
      const lines = pageOf(name)
        .split('\n')
        .filter((line) => line.startsWith('ttq '))
      assert.ok(lines.length > 2)
      for (const line of lines) {
        const command = INSTEAD.reduce((text, [found, instead]) => text.replace(found, instead), line)
        const words = command.split(' ').slice(1)
        const { code, stderr } = await runHere(folder, [...words, ...shortened(words)])
        // A bound that networks of random weights do not hold is one, too.
        const bounded = /--max-(distance|drop|growth)/.test(line)
        assert.ok(code === 0 || (bounded && code === 4), `${line}: ${code}\n${stderr}`)
      }
    })

  const compiler = ['cc', 'gcc', 'clang'].find((each) => spawnSync(each, ['--version']).status === 0)
  const skip = compiler === undefined && 'no C compiler'

  test('docs/microcontroller.md: its program gives what ONNX Runtime gives', { skip }, async () => {
    const folder = temporaryFolder()
    copyFileSync(join(ROOT, 'fixtures/mnist-lenet.onnx'), join(folder, 'lenet.onnx'))
    const page = pageOf('microcontroller')
    const [line, unpack] = page.split('\n').filter((each) => each.startsWith('ttq '))
    assert.match(line as string, / --keep-names -o lenet\.ttq$/)
    const small = ['compress', 'lenet.onnx', '--keep-names', '-o', 'lenet.ttq', '--samples', '16', '--threads', '1']
    for (const words of [small, (unpack as string).split(' ').slice(1), ['unpack', 'lenet.ttq', '-o', 'small.onnx']]) {
      const { code, stderr } = await runHere(folder, words)
      assert.equal(code, 0, stderr)
    }
    writeFileSync(join(folder, 'lenet.c'), /```c\n([\s\S]*?)```/.exec(page)?.[1] as string)
    const flags = /^cc (.*)$/m.exec(page)?.[1]?.split(' ') ?? []
    const built = spawnSync(compiler as string, ['-Wall', '-Wextra', '-Werror', ...flags], {
      cwd: folder,
      encoding: 'utf8',
    })
    assert.equal(built.status, 0, built.stderr)
    const pixels = Uint8Array.from({ length: 784 }, (_, i) => (i * 37 + (i >> 5) * 11) % 256)
    const { stdout } = spawnSync(join(folder, 'lenet'), { input: pixels, encoding: 'utf8' })
    const session = await ort.InferenceSession.create(join(folder, 'small.onnx'))
    const input = Float32Array.from(pixels, (pixel) => (pixel / 255 - 0.1307) / 0.3081)
    const { scores } = await session.run({ input: new ort.Tensor('float32', input, [1, 1, 28, 28]) })
    const found = stdout.trim().split('\n').map(Number)
    const expected = Array.from(scores?.data as Float32Array)
    assert.equal(found.length, 10)
    expected.forEach((value, i) => {
      assert.ok(Math.abs((found[i] as number) - value) < 1e-4, `${i}: ${found[i]}, expected ${value}`)
    })
  })
})
