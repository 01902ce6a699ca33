// What lies in the working directory: models, and datasets that `ttq` knows without being told.
import { readdirSync, statSync } from 'node:fs'
import { PictureFrames } from '../data/framed-pictures.js'
import type { Size } from '../data/framing.js'
import { datasetKindAt, openDataset, type StoredDataset } from '../data/open-dataset.js'
import { TtqError } from '../errors/ttq-error.js'
import { countText } from '../report/table.js'

/** More names than these are a folder of something else. */
const MOST_NAMES = 200

/** The .onnx files, sorted. */
export function modelsHere(): string[] {
  return names().filter((name) => name.toLowerCase().endsWith('.onnx') && statSync(name).isFile())
}

/** What is a dataset by its kind, loader modules aside, and can be opened: path and description. */
export async function datasetsHere(signal: AbortSignal): Promise<FoundDataset[]> {
  const found: FoundDataset[] = []
  for (const name of names()) {
    const kind = await datasetKindAt(name)
    if (kind === undefined || kind === 'module') continue
    try {
      found.push(await lookAtDataset(name, signal))
    } catch (error) {
      // A table of something else, for one.
      if (!(error instanceof TtqError)) throw error
    }
  }
  return found
}

export interface FoundDataset {
  readonly spec: string
  /** In a few words: `10 classes, 60,000 training and 10,000 test samples`. */
  readonly about: string
  readonly kind: StoredDataset['kind']
  /** Of some of its pictures, in pixels; empty where it holds none. */
  readonly sizes: readonly Size[]
}

/** What a dataset is. @throws TtqError `usage`, `data` */
export async function lookAtDataset(spec: string, signal: AbortSignal): Promise<FoundDataset> {
  const dataset = await openDataset(spec, { signal })
  try {
    const { train, test } = sizesOf(dataset)
    const classes = dataset.classes === undefined ? '' : `${countText(dataset.classes)} classes, `
    const tested = test === undefined ? 'no' : countText(test)
    return {
      spec,
      about: `${classes}${countText(train)} training and ${tested} test samples`,
      kind: dataset.kind,
      sizes: dataset.kind === 'pictures' ? await new PictureFrames(dataset).sizes() : [],
    }
  } finally {
    await dataset.close?.()
  }
}

function sizesOf(dataset: StoredDataset): { train: number; test: number | undefined } {
  if (dataset.kind === 'samples') return dataset.sizes
  return { train: dataset.train.count, test: dataset.test?.count }
}

function names(): string[] {
  const all = readdirSync('.').filter((name) => !/^\.|^node_modules$|^ttq\.config\./.test(name))
  return all.length > MOST_NAMES ? all.filter((name) => name.toLowerCase().endsWith('.onnx')) : all.sort()
}
