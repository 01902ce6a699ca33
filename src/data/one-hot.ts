// Classes written as rows of zeros with a single one.
import { TtqError } from '../errors/ttq-error.js'
import { type Dataset, type Labels, ONLY, type Split } from './dataset.js'
import { classLabels } from './labels.js'

/** How many classes these rows of labels count, where each has a single 1; undefined for others. */
export function classesInRows(labels: Labels): number | undefined {
  const classes = labels[ONLY]?.dims[1] ?? 0
  return areOneHot(labels, classes) ? classes : undefined
}

/** Whether every sample has one number per class, of which one is 1 and the others are 0. */
export function areOneHot(labels: Labels, classes: number): boolean {
  const rows = labels[ONLY]
  return (
    classes > 1 &&
    rows?.dims.length === 2 &&
    rows.dims[1] === classes &&
    placesOfOnes(rows.data, classes).every(isFound)
  )
}

/**
 * The dataset with classes in the place of such rows. Batches throw TtqError `data` where a row is another.
 * @param hint what to do then
 */
export function fromOneHot(dataset: Dataset, classes: number, hint: string): Dataset {
  const split = (each: Split): Split => ({
    size: each.size,
    ...(each.skip && { skip: each.skip }),
    async batch(indices, random) {
      const { inputs, labels } = await each.batch(indices, random)
      const rows = labels[ONLY]
      if (rows === undefined) return { inputs, labels }
      const found = placesOfOnes(rows.data, classes)
      const bad = found.findIndex((place) => !isFound(place))
      if (bad < 0) return { inputs, labels: classLabels(found) }
      throw new TtqError(
        'data',
        `${dataset.name}: labels of sample ${indices[bad]} are ` +
          `[${rows.data.slice(bad * classes, (bad + 1) * classes).join(',')}], expected a single 1 among ` +
          `${classes - 1} zeros, as of the first samples`,
        { hint, facts: { sample: indices[bad] } },
      )
    },
  })
  return { ...dataset, classes, train: split(dataset.train), test: dataset.test && split(dataset.test) }
}

/** The classes of such rows. */
export function classesOfOneHot(labels: Labels, classes: number): Labels {
  const rows = labels[ONLY]
  return rows === undefined ? labels : classLabels(placesOfOnes(rows.data, classes))
}

function isFound(place: number): boolean {
  return place >= 0
}

// Of each row where its 1 is; -1 where it is no such row.
function placesOfOnes(data: Float32Array, classes: number): number[] {
  return Array.from({ length: data.length / classes }, (_, row) => {
    const own = data.subarray(row * classes, (row + 1) * classes)
    return own.every((value) => value === 0 || value === 1) && own.indexOf(1) === own.lastIndexOf(1)
      ? own.indexOf(1)
      : -1
  })
}
