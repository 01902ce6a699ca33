// The calls of an MPI library that ranks need, from whichever thread: all of them begin something and come back at
// once, or ask whether it is done, so that nothing waits inside the library. Names and signatures are the MPI
// standard's, 4.1.
//
// Threads of a process take turns (MPI_THREAD_SERIALIZED, which every library offers) by a lock in shared memory.
import type { Foreign, ForeignFunction, ForeignLibrary } from './foreign.js'
import { type Handle, type Scheme, schemeOf, SCHEMES, type SchemeName } from './schemes.js'

/** Something that goes on by itself. */
export interface Pending {
  /** Brings it on, and says whether it is done; then its buffers may be used again. */
  isDone(): boolean
}

/** What another thread of the process needs to call the same library. */
export interface MpiPlace {
  path: string
  lock: SharedArrayBuffer
  communicator: Handle
}

type Argument = 'int' | 'pointer' | 'handle'

/** The functions that begin something end with where its request is put. */
const FUNCTIONS = {
  MPI_Init_thread: ['pointer', 'pointer', 'int', 'pointer'],
  MPI_Finalize: [],
  MPI_Abort: ['handle', 'int'],
  MPI_Comm_rank: ['handle', 'pointer'],
  MPI_Comm_size: ['handle', 'pointer'],
  MPI_Comm_dup: ['handle', 'pointer'],
  MPI_Get_library_version: ['pointer', 'pointer'],
  MPI_Ibarrier: ['handle', 'pointer'],
  MPI_Iallgather: ['pointer', 'int', 'handle', 'pointer', 'int', 'handle', 'handle', 'pointer'],
  MPI_Iallgatherv: ['pointer', 'int', 'handle', 'pointer', 'pointer', 'pointer', 'handle', 'handle', 'pointer'],
  MPI_Ialltoallv: [
    ...(['pointer', 'pointer', 'pointer', 'handle'] as const),
    ...(['pointer', 'pointer', 'pointer', 'handle'] as const),
    ...(['handle', 'pointer'] as const),
  ],
  MPI_Ireduce_scatter: ['pointer', 'pointer', 'pointer', 'handle', 'handle', 'handle', 'pointer'],
  MPI_Isend: ['pointer', 'int', 'handle', 'int', 'int', 'handle', 'pointer'],
  MPI_Irecv: ['pointer', 'int', 'handle', 'int', 'int', 'handle', 'pointer'],
  MPI_Test: ['pointer', 'pointer', 'pointer'],
} as const satisfies Record<string, readonly Argument[]>

/** MPI_MAX_LIBRARY_VERSION_STRING is 8192 in MPICH and the ABI, 256 in Open MPI. */
const VERSION_BYTES = 8192
/** A status has 24 to 32 bytes. */
const STATUS_BYTES = 64

export class MpiLibrary {
  readonly scheme: SchemeName
  private readonly handles: Scheme
  private readonly functions = new Map<string, ForeignFunction>()
  private readonly lock: Int32Array

  private constructor(
    private readonly foreign: ForeignLibrary,
    readonly path: string,
    readonly lockMemory: SharedArrayBuffer,
  ) {
    this.scheme = schemeOf(foreign)
    this.handles = SCHEMES[this.scheme](foreign)
    this.lock = new Int32Array(lockMemory)
  }

  /**
   * @param path a file, or a name that the system's loader finds
   * @throws Error of the loader
   */
  static open(foreign: Foreign, path: string, lock = new SharedArrayBuffer(4)): MpiLibrary {
    const found = new MpiLibrary(foreign.load(path), path, lock)
    found.function('MPI_Init_thread')
    return found
  }

  /** What the library says of itself, in one line; it may be asked before anything else. */
  get version(): string {
    const text = new Uint8Array(VERSION_BYTES)
    this.call('MPI_Get_library_version', text, new Int32Array(1))
    return (new TextDecoder().decode(text).split(/[\0\n]/, 1)[0] as string).trim()
  }

  /** Joins this process with the others. @returns whether all threads may call, one at a time */
  init(): boolean {
    const provided = new Int32Array(1)
    this.call('MPI_Init_thread', null, null, this.handles.serialized, provided)
    return (provided[0] as number) >= this.handles.serialized
  }

  /** Parts with them, who do it, too; waits for them. */
  finalize(): void {
    this.call('MPI_Finalize')
  }

  /** Ends all processes, this one too, whatever they do. */
  abort(code: number): void {
    this.call('MPI_Abort', this.handles.world, code)
  }

  get world(): Communicator {
    return new Communicator(this, this.handles.world)
  }

  /** Threads keep their calls apart by communicators of their own; all ranks call this in the same order. */
  duplicate(): Communicator {
    const handle = new BigInt64Array(1)
    this.call('MPI_Comm_dup', this.handles.world, handle)
    const [whole] = handle as unknown as [bigint]
    return new Communicator(this, this.handles.type === 'int' ? (new Int32Array(handle.buffer)[0] as number) : whole)
  }

  /** @internal */
  get types(): Pick<Scheme, 'byte' | 'float' | 'sum'> {
    return this.handles
  }

  /** @internal One call, while no other thread makes any. @throws Error for what the library refuses */
  call(name: keyof typeof FUNCTIONS, ...args: unknown[]): void {
    const call = this.function(name)
    while (Atomics.compareExchange(this.lock, 0, 0, 1) !== 0) Atomics.wait(this.lock, 0, 1, 1)
    let code: unknown
    try {
      code = call(...args)
    } finally {
      Atomics.store(this.lock, 0, 0)
      Atomics.notify(this.lock, 0, 1)
    }
    if (code !== 0) throw new Error(`${name}: error ${String(code)} of ${this.path}`)
  }

  /** @internal The same of a call that ends with where its request is put. @param buffers kept until it is done */
  begin(name: keyof typeof FUNCTIONS, args: unknown[], buffers: readonly object[]): Pending {
    // A request is an int or a pointer.
    const request = new BigInt64Array(1)
    this.call(name, ...args, request)
    const [flag, status] = [new Int32Array(1), new Uint8Array(STATUS_BYTES)]
    let held: readonly object[] | undefined = buffers
    return {
      isDone: () => {
        // A request that is done must not be asked for again.
        if (held === undefined) return true
        this.call('MPI_Test', request, flag, status)
        if (flag[0] !== 0) held = undefined
        return held === undefined
      },
    }
  }

  private function(name: keyof typeof FUNCTIONS): ForeignFunction {
    const known = this.functions.get(name)
    if (known !== undefined) return known
    const types = { int: 'int', pointer: 'void *', handle: this.handles.type }
    const made = this.foreign.func(
      name,
      'int',
      FUNCTIONS[name].map((argument) => types[argument]),
    )
    this.functions.set(name, made)
    return made
  }
}

/** Processes that exchange bytes and numbers; all of them make the same collective calls in the same order. */
export class Communicator {
  readonly rank: number
  readonly size: number

  constructor(
    private readonly mpi: MpiLibrary,
    private readonly handle: Handle,
  ) {
    this.rank = this.number('MPI_Comm_rank')
    this.size = this.number('MPI_Comm_size')
  }

  /** In another thread of the process that has begun. */
  static join(foreign: Foreign, { path, lock, communicator }: MpiPlace): Communicator {
    return new Communicator(MpiLibrary.open(foreign, path, lock), communicator)
  }

  get place(): MpiPlace {
    return { path: this.mpi.path, lock: this.mpi.lockMemory, communicator: this.handle }
  }

  /** Done when all have called it. */
  meet(): Pending {
    return this.mpi.begin('MPI_Ibarrier', [this.handle], [])
  }

  /** Everyone's bytes, as many of each, in the order of the ranks. */
  allGather(own: Uint8Array, all: Uint8Array): Pending {
    const { byte } = this.mpi.types
    const args = [own, own.length, byte, all, own.length, byte, this.handle]
    return this.mpi.begin('MPI_Iallgather', args, [own, all])
  }

  /** Everyone's floats, as many of each as `parts` says, to where it says. */
  allGatherParts(own: Float32Array, all: Float32Array, { counts, offsets }: Parts): Pending {
    const { float } = this.mpi.types
    const args = [own, own.length, float, all, counts, offsets, float, this.handle]
    return this.mpi.begin('MPI_Iallgatherv', args, [own, all, counts, offsets])
  }

  /** To each rank its part of `sent`, from each rank the own part to where `received` says. */
  exchange(sent: Float32Array, to: Parts, received: Float32Array, from: Parts): Pending {
    const { float } = this.mpi.types
    const args = [sent, to.counts, to.offsets, float, received, from.counts, from.offsets, float, this.handle]
    const buffers = [sent, received, to.counts, to.offsets, from.counts, from.offsets]
    return this.mpi.begin('MPI_Ialltoallv', args, buffers)
  }

  /** The sum over all ranks of the own part, in whatever order the library adds. */
  sumParts(all: Float32Array, own: Float32Array, { counts }: Parts): Pending {
    const { float, sum } = this.mpi.types
    return this.mpi.begin('MPI_Ireduce_scatter', [all, own, counts, float, sum, this.handle], [all, own, counts])
  }

  send(bytes: Uint8Array, to: number): Pending {
    return this.mpi.begin('MPI_Isend', [bytes, bytes.length, this.mpi.types.byte, to, 0, this.handle], [bytes])
  }

  /** @param bytes as many as are sent */
  receive(bytes: Uint8Array, from: number): Pending {
    const args = [bytes, bytes.length, this.mpi.types.byte, from, 0, this.handle]
    return this.mpi.begin('MPI_Irecv', args, [bytes])
  }

  private number(name: 'MPI_Comm_rank' | 'MPI_Comm_size'): number {
    const found = new Int32Array(1)
    this.mpi.call(name, this.handle, found)
    return found[0] as number
  }
}

/** Parts of a list of floats, one per rank: the numbers of floats, and where they begin. */
export interface Parts {
  counts: Int32Array
  offsets: Int32Array
}
