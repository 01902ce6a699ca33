// ttq new as its user meets it: the real program; what it writes runs in ONNX Runtime.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { NETWORKS } from '../../src/networks/networks.js'
import { Session } from '../../src/runtime/session.js'
import { elementCount, float32 } from '../../src/tensor/tensor.js'
import { runHere } from './run-here.js'
import { run, temporaryFolder } from './run-program.js'

async function scoreDims(bytes: Uint8Array, input: readonly number[]): Promise<readonly number[] | undefined> {
  const session = await Session.create(bytes, { threads: 1 })
  try {
    const dims = [2, ...input]
    return (await session.run({ input: float32(dims, new Float32Array(elementCount(dims)).fill(0.5)) }))['scores']?.dims
  } finally {
    await session.release()
  }
}

describe('ttq new', () => {
  for (const name of ['lenet5', 'resnet20', 'resnet32', 'resnet44', 'resnet56', 'mobilenetv2'] as const) {
    test(`${name}: its own classes and input without options`, async () => {
      const folder = temporaryFolder()
      const { code, stdout, stderr } = await runHere(folder, ['new', name])
      assert.deepEqual([code, stderr], [0, ''])
      assert.match(
        stdout,
        new RegExp(
          `^${name} \\(\\d+x\\d+x\\d+ to (10|1,000) classes, [\\d,]+ parameters, seed 1\\) -> ${name}\\.onnx ` +
            `\\([\\d.]+ [KM]B\\)\\n$`,
        ),
      )
      assert.deepEqual(await scoreDims(readFileSync(join(folder, `${name}.onnx`)), NETWORKS[name].input), [
        2,
        NETWORKS[name].classes,
      ])
    })
  }

  test('--classes and --input decide, --json says all of it', async () => {
    const folder = temporaryFolder()
    const { code, stdout } = await runHere(folder, [
      'new',
      'resnet18',
      '--classes',
      '7',
      '--input',
      '1x48X33',
      '--seed',
      '3',
      '-o',
      'net.onnx',
      '--json',
    ])
    assert.equal(code, 0)
    const bytes = readFileSync(join(folder, 'net.onnx'))
    const { parameters, ...rest } = JSON.parse(stdout) as { parameters: number }
    assert.deepEqual(rest, {
      schema: 'ttq-new/1',
      network: 'resnet18',
      output: 'net.onnx',
      classes: 7,
      input: [1, 48, 33],
      seed: 3,
      onnxBytes: bytes.length,
    })
    assert.ok(parameters > 11_000_000 && parameters < 11_200_000, `${parameters}`)
    assert.deepEqual(await scoreDims(bytes, [1, 48, 33]), [2, 7])
  })

  test('the same seed gives the same bytes, on stdout too; another seed others', async () => {
    const folder = temporaryFolder()
    assert.equal((await run(folder, ['new', 'lenet5', '--seed', '5'])).code, 0)
    const file = readFileSync(join(folder, 'lenet5.onnx'))
    const { bytes, code, stderr } = await run(folder, ['new', 'lenet5', '--seed', '5', '-o', '-'])
    assert.equal(code, 0)
    assert.match(stderr, /^lenet5 .* -> stdout .*\n$/)
    assert.ok(bytes.equals(file))
    assert.ok(!(await run(folder, ['new', 'lenet5', '--seed', '6', '-o', '-'])).bytes.equals(file))
    assert.deepEqual(readdirSync(folder), ['lenet5.onnx'])
  })

  test('what it writes can be compressed', async () => {
    const folder = temporaryFolder()
    await run(folder, ['new', 'lenet5'])
    assert.equal((await run(folder, ['compress', 'lenet5.onnx', '-q'])).code, 0)
  })

  const NAMES = 'lenet5, resnet20, resnet32, resnet44, resnet56, resnet18, alexnet, mobilenetv2'
  const refused: readonly (readonly [args: string, message: string])[] = [
    ['', `new: no network given, expected one: ${NAMES}, or loader. ttq new --help lists the options.`],
    ['lenet', 'new: unknown network "lenet". Did you mean lenet5?'],
    ['ResNet18', 'new: unknown network "ResNet18". Did you mean resnet18?'],
    ['transformer', `new: unknown network "transformer". The networks are ${NAMES}.`],
    ['constructor', `new: unknown network "constructor". The networks are ${NAMES}.`],
    [
      'lenet5 resnet20',
      'new: found another argument "resnet20", expected one network. ttq new --help lists the options.',
    ],
    [
      'lenet5 --epochs 3',
      'new: unknown option --epochs. --epochs is an option of ttq compress, ttq train and ttq sweep.',
    ],
    ['lenet5 --classes 0', '--classes: found "0", expected a whole number from 1 to 1000000'],
    ['lenet5 --classes many', '--classes: found "many", expected a whole number from 1 to 1000000'],
    ['lenet5 --seed -1', '--seed: found "-1", expected a whole number from 0 to 4294967295'],
    ...[
      '28x28',
      '1x28x28x1',
      '1x28',
      '0x28x28',
      '1x-2x28',
      '1x2.5x28',
      '1x28x',
      '1x28x65537',
      '1,28,28',
      '1x28x1e2',
    ].map(
      (input) =>
        [
          `lenet5 --input ${input}`,
          `--input: found "${input}", expected <channels>x<height>x<width> with numbers from 1 to 65536. For ` +
            'example --input 3x32x32.',
        ] as const,
    ),
    ['lenet5 --input 1x8x8', 'new: lenet5: input 1x8x8 is too small, expected about 1x28x28'],
    ['lenet5 --input 1x28x5', 'new: lenet5: input 1x28x5 is too small, expected about 1x28x28'],
    ['alexnet --input 3x7x7', 'new: alexnet: input 3x7x7 is too small, expected about 3x224x224'],
    [
      'alexnet --input 3x3000x3000',
      'new: "fc6.weight" of shape 4096x2214144 brings the weights to 36.3 GB, expected at most 2 GB in one ONNX ' +
        'file. Choose a smaller input or fewer classes.',
    ],
    [
      'lenet5 -o there.onnx',
      '--output: there.onnx exists. Add --force to replace it, or name another file with --output.',
    ],
    ['lenet5 -o none/a.onnx', '--output: none/a.onnx cannot be made: there is no folder none. Make the folder first.'],
    [
      'lenet5 -o - --json',
      '--json: given while stdout is for the network; only one of them fits there. Name a file with --output.',
    ],
  ]
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'there.onnx'), 'old')
  for (const [args, message] of refused) {
    test(`refused: ttq new ${args}`, async () => {
      const { code, stderr, stdout } = await runHere(folder, ['new', ...args.split(' ').filter((word) => word !== '')])
      assert.equal(stderr, `ttq: ${message}\n`)
      assert.equal(code, 2)
      if (!args.includes('--json')) assert.equal(stdout, '')
      assert.deepEqual(readdirSync(folder), ['there.onnx'])
      assert.equal(readFileSync(join(folder, 'there.onnx'), 'utf8'), 'old')
    })
  }

  test('--force replaces', async () => {
    assert.equal((await run(folder, ['new', 'lenet5', '-o', 'there.onnx', '--force'])).code, 0)
    assert.ok(readFileSync(join(folder, 'there.onnx')).length > 200_000)
  })
})
