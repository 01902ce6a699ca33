// The optimizers by the name that users give.
import type { OptimizerName } from '../options/option.js'
import { adam } from './adam.js'
import { sgd } from './sgd.js'

/** `sgd` with momentum 0.9; `adam` with decoupled weight decay (AdamW). */
export const OPTIMIZERS = { sgd, adam } as const satisfies Record<OptimizerName, unknown>
