// The optimizers by the name that users give.
import { adam } from './adam.js'
import { sgd } from './sgd.js'

/** `sgd` with momentum 0.9; `adam` with decoupled weight decay (AdamW). */
export const OPTIMIZERS = { sgd, adam } as const

export type OptimizerName = keyof typeof OPTIMIZERS
