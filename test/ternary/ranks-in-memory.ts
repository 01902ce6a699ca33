// Ranks of one process: what they gather goes through memory.
import { ALONE, type Ranks } from '../../src/execution/ranks.js'

/** Each to be used by a task of its own. */
export function ranksInMemory(count: number): Ranks[] {
  const meetings: { given: unknown[]; met: PromiseWithResolvers }[] = []
  return Array.from({ length: count }, (_, rank): Ranks => {
    let calls = 0
    return {
      ...ALONE,
      rank,
      count,
      gather: async <T>(about: string, value: T): Promise<readonly T[]> => {
        const meeting = (meetings[calls++] ??= { given: [], met: withResolvers() })
        // As if it had been sent.
        meeting.given[rank] = structuredClone([about, value])
        if (meeting.given.filter((each) => each !== undefined).length === count) meeting.met.resolve()
        await meeting.met.promise
        return (meeting.given as [string, T][]).map(([said, own]) => {
          if (said !== about) throw new Error(`ranks have parted: ${said}, ${about}`)
          return own
        })
      },
    }
  })
}

interface PromiseWithResolvers {
  promise: Promise<void>
  resolve: () => void
}

function withResolvers(): PromiseWithResolvers {
  let resolve: () => void = () => undefined
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
