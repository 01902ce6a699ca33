// An MPI library in the place of a real one: threads of one process are its ranks, memory is what they meet over. It
// has the handles of any of the three kinds, and keeps to the standard where that is easily forgotten: what is sent is
// taken when it arrives, calls of one communicator meet in their order, and sums are added up in an order of its own.
import type { Foreign, ForeignFunction } from '../../src/mpi/foreign.js'
import { type SchemeName, SCHEMES } from '../../src/mpi/schemes.js'

export interface StandIn {
  ranks: number
  memory: SharedArrayBuffer
  scheme: SchemeName
  /** What it says of itself. */
  version?: string
  /** Ranks that it counts, where it is not the launcher's. */
  counts?: number
  /** The level of threads that it gives, where that is not what was asked for. */
  provided?: number
}

/** Communicators, each with a way for collective calls and one for messages. */
const WAYS = 8
/** Bytes that may pass from one rank to another on one way. */
const CAPACITY = 2 ** 19
const ADDRESS = 0x7f00_0000_1000n
const VARIABLES = ['ompi_mpi_comm_world', 'ompi_mpi_byte', 'ompi_mpi_float', 'ompi_mpi_op_sum']

export function arrangeStandIn(ranks: number, more: Partial<StandIn> = {}): StandIn {
  return { ranks, memory: new SharedArrayBuffer(4 + WAYS * ranks * ranks * CAPACITY), scheme: 'MPI ABI', ...more }
}

/** The code that a rank ended all with; 0 where none did. */
export function abortedWith({ memory }: StandIn): number {
  return new Int32Array(memory, 0, 1)[0] as number
}

/** The library as one rank sees it, in any of its threads. */
export function standIn(arranged: StandIn, rank: number): Foreign {
  return {
    load: () => {
      const functions = functionsOf(arranged, rank)
      return {
        func: (name) => {
          const found = functions[name]
          if (found === undefined) throw new Error(`cannot find function ${name}`)
          return found
        },
        symbol: (name) => {
          const place = VARIABLES.indexOf(name)
          if (arranged.scheme !== 'Open MPI' || place < 0) throw new Error(`cannot find symbol ${name}`)
          return ADDRESS + BigInt(place) * 0x1000n
        },
      }
    },
  }
}

type View = Int32Array | Float32Array | Uint8Array

function functionsOf(arranged: StandIn, rank: number): Record<string, ForeignFunction> {
  const { ranks, memory, scheme, version, counts = ranks, provided } = arranged
  const handles = SCHEMES[scheme]({
    func: () => () => 0,
    symbol: (name) => ADDRESS + BigInt(VARIABLES.indexOf(name)) * 0x1000n,
  })
  const requests: (() => boolean)[] = []
  const taken = new Map<string, number>()
  let communicators = 1
  const begin = (request: unknown, isDone: () => boolean): number => {
    ;(request as BigInt64Array)[0] = BigInt(requests.push(isDone) - 1)
    return 0
  }
  const way = (communicator: unknown, kind: 0 | 1): number =>
    2 * Number(BigInt(communicator as bigint) - BigInt(handles.world)) + kind
  const log = (on: number, from: number, to: number): Int32Array =>
    new Int32Array(memory, 4 + (on * ranks * ranks + from * ranks + to) * CAPACITY, CAPACITY / 4)
  const send = (on: number, to: number, bytes: Uint8Array): void => {
    const words = log(on, rank, to)
    const end = (words[0] as number) + 2 + Math.ceil(bytes.length / 4)
    if (end > words.length) throw new Error('the stand-in is full')
    words[(words[0] as number) + 1] = bytes.length
    new Uint8Array(words.buffer, words.byteOffset + 4 * ((words[0] as number) + 2), bytes.length).set(bytes)
    Atomics.store(words, 0, end - 1)
  }
  // The next message from there, as soon as it has come.
  const receive = (on: number, from: number): (() => Uint8Array | undefined) => {
    const key = `${on} ${from}`
    const index = taken.get(key) ?? 0
    taken.set(key, index + 1)
    return () => {
      const words = log(on, from, rank)
      const end = Atomics.load(words, 0)
      let at = 1
      for (let i = 0; at <= end; i++) {
        const length = words[at] as number
        if (i === index) return new Uint8Array(words.buffer, words.byteOffset + 4 * (at + 1), length)
        at += 1 + Math.ceil(length / 4)
      }
      return undefined
    }
  }
  const all = Array.from({ length: ranks }, (_, other) => other)
  const bytesOf = (view: View, from = 0, count = view.length): Uint8Array =>
    new Uint8Array(view.buffer, view.byteOffset + from * view.BYTES_PER_ELEMENT, count * view.BYTES_PER_ELEMENT)
  const part = (
    view: View,
    { counts: sizes, offsets }: { counts: Int32Array; offsets: Int32Array },
    of: number,
  ): Uint8Array => bytesOf(view, offsets[of], sizes[of])
  const collect = (on: number, take: (from: number, bytes: Uint8Array) => void): (() => boolean) => {
    const waiting = new Map(all.map((from) => [from, receive(on, from)]))
    return () => {
      for (const [from, next] of waiting) {
        const bytes = next()
        if (bytes === undefined) continue
        take(from, bytes)
        waiting.delete(from)
      }
      return waiting.size === 0
    }
  }
  return {
    MPI_Init_thread: (_argc, _argv, required, given) => {
      ;(given as Int32Array)[0] = provided ?? (required as number)
      return 0
    },
    MPI_Finalize: () => 0,
    MPI_Abort: (_world, code) => {
      new Int32Array(memory, 0, 1)[0] = code as number
      return 0
    },
    ...(scheme !== 'Open MPI' && {
      MPI_Abi_get_version: (major) => {
        ;(major as Int32Array)[0] = scheme === 'MPI ABI' ? 1 : -1
        return 0
      },
    }),
    MPI_Get_library_version: (text) => {
      const said = version ?? (scheme === 'Open MPI' ? 'Open MPI v5.0' : 'MPICH Version: 5.0')
      ;(text as Uint8Array).set(new TextEncoder().encode(`${said}\nmore`))
      return 0
    },
    MPI_Comm_rank: (_communicator, found) => {
      ;(found as Int32Array)[0] = rank
      return 0
    },
    MPI_Comm_size: (_communicator, found) => {
      ;(found as Int32Array)[0] = counts
      return 0
    },
    MPI_Comm_dup: (_communicator, made) => {
      ;(made as BigInt64Array)[0] = BigInt(handles.world) + BigInt(communicators++)
      return 0
    },
    MPI_Ibarrier: (communicator, request) => {
      const on = way(communicator, 0)
      for (const to of all) send(on, to, new Uint8Array())
      return begin(
        request,
        collect(on, () => undefined),
      )
    },
    MPI_Iallgather: (own, count, type, into, _count, _type, communicator, request) => {
      if (type !== handles.byte) throw new Error('expected bytes')
      const on = way(communicator, 0)
      for (const to of all) send(on, to, bytesOf(own as View))
      const size = count as number
      return begin(
        request,
        collect(on, (from, bytes) => {
          bytesOf(into as View).set(bytes, from * size)
        }),
      )
    },
    MPI_Iallgatherv: (own, count, type, into, sizes, offsets, _type, communicator, request) => {
      if (type !== handles.float) throw new Error('expected floats')
      const on = way(communicator, 0)
      for (const to of all) send(on, to, bytesOf(own as View, 0, count as number))
      const parts = { counts: sizes as Int32Array, offsets: offsets as Int32Array }
      return begin(
        request,
        collect(on, (from, bytes) => {
          part(into as View, parts, from).set(bytes)
        }),
      )
    },
    MPI_Ialltoallv: (own, sizes, offsets, _type, into, theirSizes, theirOffsets, _theirs, communicator, request) => {
      const on = way(communicator, 0)
      const sent = { counts: sizes as Int32Array, offsets: offsets as Int32Array }
      for (const to of all) send(on, to, part(own as View, sent, to))
      const received = { counts: theirSizes as Int32Array, offsets: theirOffsets as Int32Array }
      return begin(
        request,
        collect(on, (from, bytes) => {
          part(into as View, received, from).set(bytes)
        }),
      )
    },
    MPI_Ireduce_scatter: (own, into, sizes, _type, operation, communicator, request) => {
      if (operation !== handles.sum) throw new Error('expected sums')
      const on = way(communicator, 0)
      let offset = 0
      for (const to of all) {
        const size = (sizes as Int32Array)[to] as number
        send(on, to, bytesOf(own as View, offset, size))
        offset += size
      }
      const total = into as Float32Array
      const found: Float32Array[] = []
      const arrived = collect(on, (from, bytes) => {
        found[from] = new Float32Array(bytes.slice().buffer)
      })
      return begin(request, () => {
        if (!arrived()) return false
        total.fill(0)
        for (const each of found.reverse()) each.forEach((value, i) => (total[i] = (total[i] as number) + value))
        return true
      })
    },
    MPI_Isend: (bytes, _count, _type, to, _tag, communicator, request) => {
      send(way(communicator, 1), to as number, bytes as Uint8Array)
      return begin(request, () => true)
    },
    MPI_Irecv: (into, _count, _type, from, _tag, communicator, request) => {
      const next = receive(way(communicator, 1), from as number)
      return begin(request, () => {
        const bytes = next()
        if (bytes !== undefined) (into as Uint8Array).set(bytes)
        return bytes !== undefined
      })
    },
    MPI_Test: (request, flag) => {
      ;(flag as Int32Array)[0] = requests[Number((request as BigInt64Array)[0])]?.() === true ? 1 : 0
      return 0
    },
  }
}
