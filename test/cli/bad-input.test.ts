// Input files that cannot be used: one line that says why, exit code 3, nothing written.
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { runHere } from './run-here.js'
import { run, temporaryFolder } from './run-program.js'
import { loaderModule, smallNetwork } from './small-network.js'

describe('bad input', () => {
  const folder = temporaryFolder()
  const network = smallNetwork()
  writeFileSync(join(folder, 'm.onnx'), network)
  writeFileSync(join(folder, 'empty.onnx'), '')
  writeFileSync(join(folder, 'text.onnx'), 'This is no model at all, it is a text.\n')
  writeFileSync(join(folder, 'cut.onnx'), network.subarray(0, network.length - 40))
  writeFileSync(join(folder, 'cut.ttq'), Uint8Array.of(0x89, 0x54, 0x54, 0x51, 0x0d, 0x0a, 0x1a, 0x0a, 1, 0))
  writeFileSync(join(folder, 'wrong.mjs'), loaderModule().replace('classes = 3', 'classes = 4'))
  writeFileSync(join(folder, 'slow.mjs'), loaderModule(60_000))
  mkdirSync(join(folder, 'folder'))
  const before = readdirSync(folder).sort()

  const cases: readonly (readonly [args: string, message: RegExp])[] = [
    ['inspect none.onnx', /^ttq: none\.onnx: found no such file, expected an ONNX model or a \.ttq file\n$/],
    ['inspect m.onnx/x', /^ttq: m\.onnx\/x: found no such file, expected an ONNX model or a \.ttq file\n$/],
    ['inspect folder', /^ttq: folder: found a folder, expected an ONNX model or a \.ttq file\n$/],
    ['inspect empty.onnx', /^ttq: empty\.onnx: found no bytes, expected an ONNX model or a \.ttq file\n$/],
    ['inspect -', /^ttq: stdin: found no bytes, expected an ONNX model or a \.ttq file\n$/],
    ['inspect text.onnx', /^ttq: text\.onnx: not an ONNX model, or a damaged one: .*\n$/],
    ['inspect cut.onnx', /^ttq: cut\.onnx: not an ONNX model, or a damaged one: .*\n$/],
    ['inspect cut.ttq', /^ttq: cut\.ttq: .*\n$/],
    ['compress cut.onnx -o new.ttq', /^ttq: cut\.onnx: not an ONNX model, or a damaged one: .*\n$/],
    ['compress cut.ttq -o new.ttq', /^ttq: cut\.ttq: .*\n$/],
    ['evaluate cut.ttq --data ./wrong.mjs', /^ttq: cut\.ttq: .*\n$/],
    [
      'unpack m.onnx -o new.onnx',
      /^ttq: m\.onnx: does not begin like a \.ttq file\. ttq inspect tells what a file is\.\n$/,
    ],
    ['unpack cut.ttq -o new.onnx', /^ttq: cut\.ttq: .*\n$/],
    [
      'compress m.onnx --data ./wrong.mjs --resume',
      /^ttq: m\.ttq\.checkpoint: found no such file, expected a checkpoint to resume\. Start without --resume, or name the file with --checkpoint\.\n$/,
    ],
    ['compress m.onnx --data ./none.mjs', /^ttq: .*none\.mjs.*\n$/],
    ['compress m.onnx --data ./wrong.mjs', /^ttq: dataset: it has 4 classes, .*\n$/],
    ['analyze cut.onnx --data ./wrong.mjs', /^ttq: cut\.onnx: not an ONNX model, or a damaged one: .*\n$/],
    ['analyze m.onnx --data ./wrong.mjs --network-output scores', /^ttq: dataset: it has 4 classes, .*\n$/],
    [
      'analyze m.onnx --data ./wrong.mjs --keep *',
      /^ttq: onnx: graph "small": all 3 layers stay in full precision .*\n$/,
    ],
    ...['compress', 'train', 'analyze', 'evaluate', 'sweep --sparsities 0.5'].map(
      (command): readonly [string, RegExp] => [
        `${command} m.onnx --data ./slow.mjs --data-timeout 0.5`,
        /^ttq: .*slow\.mjs: .* gave no answer within 0\.5 s[^]*--data-timeout/,
      ],
    ),
    ['evaluate m.onnx --data cifar10:folder', /^ttq: .*folder.*\n$/],
  ]
  for (const [args, message] of cases) {
    test(`ttq ${args}`, async () => {
      const words = [...args.split(' '), '--quiet']
      const { code, stdout, stderr } = await (words.includes('-') ? run(folder, words) : runHere(folder, words))
      assert.match(stderr, message)
      assert.equal(stdout, '')
      assert.equal(code, 3)
      assert.deepEqual(readdirSync(folder).sort(), before)
    })
  }

  test('--debug shows the stack', async () => {
    const { code, stderr } = await run(folder, ['inspect', 'none.onnx', '--debug'])
    assert.match(stderr, /^ttq: none\.onnx: found no such file.*\nTtqError: .*\n {4}at /)
    assert.equal(code, 3)
  })
})
