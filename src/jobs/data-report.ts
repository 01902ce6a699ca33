// The report on a dataset: plain data, schema `ttq-data/1`.
import type { PartSurvey } from '../data/survey.js'

export interface DataReport {
  schema: 'ttq-data/1'
  ttq: string
  dataset: string
  /** What it is: stored images of one size, picture files, or inputs as they are. */
  kind: 'images' | 'pictures' | 'samples'
  /** null where labels are no classes, or there are none. */
  classes: number | null
  classNames: readonly string[] | null
  train: PartSurvey
  test: PartSurvey | null
  /** What a training would learn from, hold out to choose its best epoch by, and test on. */
  use: { training: number; heldOut: number; test: number }
  /** What a network gets of it; null where none was named. */
  network: NetworkData | null
  /** What is odd, in words. */
  problems: readonly string[]
  elapsedMs: number
}

export interface NetworkData {
  name: string
  /** Why the data do not fit, in words; null where they do. */
  misfit: string | null
  /** What can be done about it, where that is known. */
  hint: string | null
  preprocessing?: string
  /** Of the preprocessings that were tried: percent of some training images that are classified right. */
  tried?: readonly { preprocessing: string; score: number }[]
  /** What of it nobody said, in words; absent where options, the file or the images tell. */
  guess?: string
  task?: string
  /** Of the first batch, as the network gets it. */
  inputs?: readonly {
    name: string
    type: string
    shape: readonly number[]
    least: number
    largest: number
    mean: number
    std: number
  }[]
}
