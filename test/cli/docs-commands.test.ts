// Every command of docs/datasets.md runs as it stands there, on data made as the text above it says.
import assert from 'node:assert/strict'
import { copyFileSync, cpSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { zipSync } from 'fflate'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { randomWeight, seeded } from '../onnx/fixtures.js'
import { images, put, putPhotos, written } from './docs-material.js'
import { runHere } from './run-here.js'
import { temporaryFolder } from './run-program.js'

const ROOT = resolve(import.meta.dirname, '../../..')
const DATA = join(ROOT, 'fixtures/data')
const text = readFileSync(join(ROOT, 'docs/datasets.md'), 'utf8')

function features(
  inputs: readonly (readonly [name: string, type: 'float32' | 'int64', count: number | string])[],
  classes: number,
): Uint8Array {
  const b = new GraphBuilder()
  const random = seeded(2)
  const sums = inputs.map(([name, type, count]) => {
    b.input(name, type, ['N', count])
    const numbers = type === 'float32' ? name : b.emit('Cast', [name], { to: 1 })
    return typeof count === 'number' ? numbers : b.emit('ReduceMean', [numbers], { axes: [1], keepdims: 1 })
  })
  const width = inputs.reduce((sum, [, , count]) => sum + (typeof count === 'number' ? count : 1), 0)
  const all = sums.length === 1 ? (sums[0] as string) : b.emit('Concat', sums, { axis: 1 })
  const hidden = b.emit('Relu', [b.emit('MatMul', [all, randomWeight(b, random, width, 8)])])
  const middle = b.emit('Relu', [b.emit('MatMul', [hidden, randomWeight(b, random, 8, 8)])])
  b.emit('MatMul', [middle, randomWeight(b, random, 8, classes)], {}, 'scores')
  b.output('scores', 'float32', ['N', classes])
  return written(b)
}

// As numpy.save writes it (format 1.0).
function npy(type: string, dims: readonly number[], data: Float32Array | Uint8Array): Uint8Array {
  const header = `{'descr': '${type}', 'fortran_order': False, 'shape': (${dims.join(', ')},), }`.padEnd(117) + '\n'
  const start = Buffer.from(`\x93NUMPY\x01\x00v\x00${header}`, 'latin1')
  return Buffer.concat([start, Buffer.from(data.buffer, data.byteOffset, data.byteLength)])
}

type Prepare = (folder: string) => void

const photos: Prepare = (folder) => {
  putPhotos(folder)
  put(folder, 'model.onnx', images(2, 16))
}
// What stands between a heading and the command.
const block = (start: string): string => text.slice(text.indexOf(start)).split('\n```')[0] as string
const lines = (line: (i: number) => string, header = ''): string =>
  `${header}${Array.from({ length: 20 }, (_, i) => line(i)).join('\n')}\n`

const COMMANDS: Readonly<Record<string, Prepare>> = {
  'ttq data photos --model model.onnx': photos,
  'ttq compress model.onnx --data photos': photos,
  'ttq compress model.onnx --data photos --augmentations resized-crop,flip,jitter --mixup 0.2': photos,
  "ttq compress model.onnx --data 'shards/train-{000..012}.tar'": (folder) => {
    for (let i = 0; i <= 12; i++) {
      const file = join(folder, `shards/train-${`${i}`.padStart(3, '0')}.tar`)
      mkdirSync(dirname(file), { recursive: true })
      copyFileSync(join(DATA, 'archives/train-000.tar'), file)
    }
    put(folder, 'model.onnx', images(3, 16))
  },
  'ttq compress model.onnx --data beans': (folder) => {
    cpSync(join(DATA, 'parquet/hub'), join(folder, 'beans'), { recursive: true })
    put(folder, 'model.onnx', images(3, 16))
  },
  'ttq compress model.onnx --data cifar-100-python.tar.gz': (folder) => {
    copyFileSync(join(DATA, 'archives/cifar-100-python.tar.gz'), join(folder, 'cifar-100-python.tar.gz'))
    put(folder, 'model.onnx', images(100, 32))
  },
  'ttq compress digits.onnx --data digits.npz': (folder) => {
    const labels = Uint8Array.from({ length: 40 }, (_, i) => i % 10)
    const x = Float32Array.from({ length: 40 * 64 }, (_, i) =>
      Math.sin(i + (i % 64) * (labels[Math.floor(i / 64)] as number)),
    )
    put(
      folder,
      'digits.npz',
      zipSync({ 'x_train.npy': npy('<f4', [40, 64], x), 'y_train.npy': npy('|u1', [40], labels) }),
    )
    put(folder, 'digits.onnx', features([['pixels', 'float32', 64]], 10))
  },
  'ttq compress iris.onnx --data iris.csv': (folder) => {
    const example = block('sepal_length,').split('\n')
    put(
      folder,
      'iris.csv',
      lines((i) => (i % 2 === 0 ? '5.1,3.5,1.4,0.2,setosa' : '7.0,3.2,4.7,1.4,versicolor'), `${example[0]}\n`),
    )
    put(folder, 'iris.onnx', features([['features', 'float32', 4]], 2))
  },
  'ttq compress bert.onnx --data ids.jsonl': (folder) => {
    const example = block('{"input_ids"').split('\n')
    put(
      folder,
      'ids.jsonl',
      lines((i) => example[i % 2] as string),
    )
    put(
      folder,
      'bert.onnx',
      features(
        [
          ['input_ids', 'int64', 'length'],
          ['attention_mask', 'int64', 'length'],
        ],
        2,
      ),
    )
  },
  'ttq new loader --model model.onnx': (folder) => {
    put(folder, 'model.onnx', features([['input', 'float32', 6]], 3))
  },
  'ttq data ./loader.mjs --model model.onnx': (folder) => {
    put(folder, 'model.onnx', features([['input', 'float32', 2]], 2))
    put(folder, 'loader.mjs', text.slice(text.indexOf('// loader.mjs:')).split('\n```')[0] as string)
  },
}

describe('commands of docs/datasets.md', () => {
  const commands = text.split('\n').filter((line) => line.startsWith('ttq '))

  test('each is known here', () => {
    assert.deepEqual([...new Set(commands)].sort(), Object.keys(COMMANDS).sort())
  })

  for (const [command, prepare] of Object.entries(COMMANDS))
    test(command, async () => {
      const folder = temporaryFolder()
      prepare(folder)
      const args = command
        .split(' ')
        .slice(1)
        .map((word) => word.replace(/^'|'$/g, ''))
      // Networks of random weights decide by chance, and one epoch shows as much as eight.
      const short = args[0] === 'compress' ? ['--anyway', '--epochs', '1', '--batch', '8', '--threads', '1'] : []
      const { code, stderr } = await runHere(folder, [...args, ...short])
      assert.equal(code, 0, stderr)
    })
})
