// The first images of MNIST's two sets, as a folder of IDX files: training on them takes seconds.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mnistPackageFolder, readMnist } from '../../src/data/mnist.js'
import type { LabelledImageSet } from '../../src/data/dataset.js'

/** Writes `folder`/mnist with so many images; `--data mnist:mnist` reads it there. */
export async function writeSmallMnist(folder: string, sizes: { train: number; test: number }): Promise<void> {
  const all = await readMnist(mnistPackageFolder(import.meta.dirname), 'mnist')
  const target = join(folder, 'mnist')
  mkdirSync(target)
  for (const [part, set, count] of [
    ['train', all.train, sizes.train],
    ['t10k', all.test, sizes.test],
  ] as const)
    writePart(target, part, set, count)
}

function writePart(
  folder: string,
  part: string,
  { pixels, labels, height, width }: LabelledImageSet,
  count: number,
): void {
  writeFileSync(
    join(folder, `${part}-images-idx3-ubyte`),
    idx([count, height, width], pixels.subarray(0, count * height * width)),
  )
  writeFileSync(join(folder, `${part}-labels-idx1-ubyte`), idx([count], labels.subarray(0, count)))
}

// Two zeros, the type (unsigned bytes), the rank, each dimension in 4 bytes, big end first.
function idx(dims: readonly number[], data: Uint8Array): Uint8Array {
  const header = Buffer.alloc(4 + 4 * dims.length)
  header[2] = 8
  header[3] = dims.length
  dims.forEach((dim, i) => header.writeUInt32BE(dim, 4 + 4 * i))
  return Buffer.concat([header, data])
}
