// A process in which networks run that nobody has run before. ONNX Runtime dies of some (an integer division in a
// constant, an operator without its inputs), and takes its process with it: this one can be lost.
import { type ChildProcess, spawn } from 'node:child_process'
import { constrainedMemory } from 'node:process'
import { totalmem } from 'node:os'
import type { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { TtqError } from '../errors/ttq-error.js'
import type { LoadedGraph, Loader, LoadOptions, Results } from '../runtime/engine.js'
import { EngineDied, type FatalGraph } from '../runtime/engine-died.js'
import type { EngineName } from '../runtime/engines.js'
import { revive } from './call-failure.js'
import { MODELS, type TrialCall, type TrialReply, type TrialRequest } from './trial-child.js'

/** Milliseconds without a graph after which the process ends; it starts again where it is needed. */
const IDLE = 1000

/** Bytes that the process takes before it loads anything, generously. */
const OWN_BYTES = 256 * 2 ** 20

/** Share of the machine's memory that a network may take on its trial where nothing else is said. */
const MEMORY_SHARE = 0.8

/** Milliseconds that loading, and each run, may take where nothing else is said. */
const TIME_LIMIT = 300_000

interface Pending {
  fatal: FatalGraph | undefined
  resolve: (result: Results | undefined) => void
  reject: (error: Error) => void
}

/** Starts with the first graph, ends when there has been none for a while, and starts again after a death. */
export class TrialProcess implements Loader {
  private child: ChildProcess | undefined
  private readonly pending = new Map<number, Pending>()
  private nextId = 0
  private loaded = 0
  private idle: NodeJS.Timeout | undefined
  private closed: Error | undefined
  private limitReached: string | undefined

  constructor(private readonly engine: EngineName) {}

  /** Early, so that the process starts while other work is done. */
  start(): void {
    if (this.closed === undefined) this.process()
  }

  /**
   * Loads a graph; the bytes must stay as they are until it is released.
   * @throws TtqError `runtime` when it is refused, EngineDied (which is one) when the process is lost
   */
  async load(model: Uint8Array, options: LoadOptions): Promise<LoadedGraph> {
    const { limits, ...rest } = options
    const graph = this.nextId
    const fatal = { model, options, feeds: undefined }
    const memory = OWN_BYTES + memoryLimit(options)
    const child = this.process()
    const call = { call: 'load', graph, bytes: model.length, options: rest, memory } as const
    const isAlive = (): boolean => this.child === child
    this.loaded++
    try {
      await this.call(child, call, fatal, limits?.milliseconds ?? TIME_LIMIT)
    } catch (error) {
      if (isAlive()) this.loaded--
      throw error
    }
    return {
      run: async (feeds, outputs) => {
        if (!isAlive()) throw this.closed ?? new EngineDied('the trial process has ended', false, undefined)
        const results = await this.call(
          child,
          { call: 'run', graph, feeds, outputs },
          { ...fatal, feeds },
          limits?.milliseconds ?? TIME_LIMIT,
        )
        return results as Results
      },
      release: async () => {
        if (!isAlive()) return
        this.loaded--
        await this.call(child, { call: 'release', graph }, undefined, undefined)
      },
    }
  }

  /** Ends the process; calls under way fail with `reason`. */
  close(reason: Error): void {
    this.closed ??= reason
    this.lose(this.closed)
  }

  private async call(
    child: ChildProcess,
    call: TrialCall,
    fatal: FatalGraph | undefined,
    milliseconds: number | undefined,
  ): Promise<Results | undefined> {
    if (this.closed !== undefined) throw this.closed
    const id = this.nextId++
    clearTimeout(this.idle)
    const timer =
      milliseconds !== undefined && Number.isFinite(milliseconds)
        ? setTimeout(() => {
            this.limitReached = `takes more than ${milliseconds / 1000} s`
            child.kill('SIGKILL')
          }, milliseconds)
        : undefined
    try {
      return await new Promise((resolve, reject) => {
        this.pending.set(id, { fatal, resolve, reject })
        child.ref()
        if (call.call === 'load' && fatal !== undefined) (child.stdio[MODELS] as Writable).write(fatal.model)
        // What cannot be sent is told by the end of the process.
        child.send({ id, ...call } satisfies TrialRequest, () => undefined)
      })
    } finally {
      clearTimeout(timer)
      this.rest()
    }
  }

  // Nothing to wait for does not keep the program alive; nothing loaded ends the process.
  private rest(): void {
    if (this.pending.size > 0) return
    this.child?.unref()
    if (this.loaded > 0) return
    this.idle = setTimeout(() => {
      this.lose(new Error('internal: an idle trial process had calls'))
    }, IDLE).unref()
  }

  private process(): ChildProcess {
    if (this.closed !== undefined) throw this.closed
    if (this.child !== undefined) return this.child
    const entry = fileURLToPath(new URL('./trial-child.js', import.meta.url))
    const child = spawn(process.execPath, [entry, this.engine], {
      serialization: 'advanced',
      // What an engine prints before it dies is no part of a message.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc', 'pipe'],
      windowsHide: true,
    })
    child.on('message', (reply: TrialReply) => {
      const waiting = this.pending.get(reply.id)
      this.pending.delete(reply.id)
      if ('result' in reply) waiting?.resolve(reply.result)
      else waiting?.reject(revive(reply.failure))
    })
    child.on('exit', (status, signal) => {
      if (this.child === child) this.died(signal ?? `exit status ${status}`)
    })
    child.on('error', (cause) => {
      if (this.child === child)
        this.lose(new TtqError('runtime', `onnxruntime: its process cannot start: ${cause.message}`, { cause }))
    })
    child.stdio[MODELS]?.on('error', () => undefined)
    this.child = child
    child.unref()
    return child
  }

  private died(how: string): void {
    const [first] = this.pending.values()
    const isKilled = how === 'SIGKILL'
    const reason = isKilled ? (this.limitReached ?? describeMemory(first?.fatal?.options)) : `died (${how})`
    this.limitReached = undefined
    this.lose(new EngineDied(reason, isKilled, first?.fatal))
  }

  private lose(error: Error): void {
    clearTimeout(this.idle)
    const { child } = this
    this.child = undefined
    this.loaded = 0
    const waiting = [...this.pending.values()]
    this.pending.clear()
    for (const { reject } of waiting) reject(error)
    child?.kill('SIGKILL')
  }
}

function memoryLimit({ limits }: LoadOptions): number {
  return limits?.bytes ?? MEMORY_SHARE * memoryOfMachine()
}

function describeMemory(options: LoadOptions = { threads: 1 }): string {
  return `takes more than ${Math.round(memoryLimit(options) / 2 ** 20)} MB of memory`
}

// In a container, what the container may take.
function memoryOfMachine(): number {
  const limit = constrainedMemory()
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem()
}
