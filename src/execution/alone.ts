// The exchange of a replica that is alone: nothing is copied, nobody is waited for.
import type { ExchangeKind } from './exchange.js'

export interface Alone {
  kind: 'alone'
}

export const alone: ExchangeKind<Alone> = {
  arrange: () => ({ kind: 'alone' }),
  join: (_meeting, { gradients, offset, size }) => ({
    mean: gradients.subarray(offset, offset + size),
    waitedMs: 0,
    reduce: () => {},
    addUp: (value) => value,
    share: () => {},
    abandon: () => {},
  }),
}
