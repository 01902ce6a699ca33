// What a loader or arrays give as a batch: arrays, and of everything else in words what it is.

/** Something a module gave that cannot be used, in words: `text "a"`, `of class Date`. */
export interface Unusable {
  found: string
}

export interface GivenBatch {
  inputs: Readonly<Record<string, GivenArray | Unusable>>
  /** By the outputs they are for, or under '' where they have no names; empty where there are none. */
  labels: Readonly<Record<string, GivenLabels | Unusable>>
}

export interface GivenArray {
  data: ArrayBufferView
  /** Name of the array's class. */
  kind: string
  dims: readonly number[] | undefined
}

export interface GivenLabels {
  /** As given, one sample after the other. */
  values: Float64Array
  /** Of the given list of lists, or as the module says; undefined where it gives one array. */
  dims: readonly number[] | undefined
  /** The first one that is no number. */
  unusable: (Unusable & { at: number }) | undefined
}

/** The first label that is a text, in words; undefined where none is. */
export function textAmong(labels: GivenBatch['labels']): string | undefined {
  return Object.values(labels)
    .map((each) => ('found' in each ? each.found : each.unusable?.found))
    .find((found) => found?.startsWith('text ') === true)
}

/** What to do about labels that are texts. */
export const NUMBER_CLASSES = 'give the number of each class, from 0 on, and export how many classes there are'
