// What the commands in docs/ work on: networks for images, a folder of pictures.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { randomWeight, seeded } from '../onnx/fixtures.js'

const PICTURES = resolve(import.meta.dirname, '../../../fixtures/data/pictures')

/** A graph as ONNX bytes. */
export function written(b: GraphBuilder): Uint8Array {
  return writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('docs') })
}

/** Scores of so many classes for images, however large. */
export function images(classes: number, size: number): Uint8Array {
  const b = new GraphBuilder()
  const random = seeded(1)
  b.input('image', 'float32', ['N', 3, size, size])
  const first = b.emit('Relu', [b.emit('Conv', ['image', randomWeight(b, random, 8, 3, 3, 3)])])
  const second = b.emit('Relu', [b.emit('Conv', [first, randomWeight(b, random, 8, 8, 3, 3)])])
  const pooled = b.emit('Flatten', [b.emit('GlobalAveragePool', [second])])
  b.emit('MatMul', [pooled, randomWeight(b, random, 8, classes)], {}, 'scores')
  b.output('scores', 'float32', ['N', classes])
  return written(b)
}

/** Writes a file into a folder, in folders of its own. */
export const put = (folder: string, name: string, content: string | Uint8Array): void => {
  mkdirSync(dirname(join(folder, name)), { recursive: true })
  writeFileSync(join(folder, name), content)
}

/** Ten pictures of two classes to learn from, and ten to test on, in `folder`/photos. */
export function putPhotos(folder: string): void {
  const sources = ['colour.png', 'grey.png', 'colour.jpg', 'alpha.png', 'palette.png']
  for (const part of ['train', 'test'])
    for (const kind of ['cat', 'dog'])
      sources.forEach((source, i) => {
        const file = join(folder, 'photos', part, kind, `${i}.${source.split('.')[1]}`)
        mkdirSync(dirname(file), { recursive: true })
        copyFileSync(join(PICTURES, source), file)
      })
}
