// A process in which networks run that nobody has run before. ONNX Runtime dies of some (an integer division in a
// constant, an operator without its inputs), and takes its process with it: this one can be lost.
import { type ChildProcess, spawn } from 'node:child_process'
import { constrainedMemory } from 'node:process'
import { totalmem } from 'node:os'
import type { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { TtqError } from '../errors/ttq-error.js'
import type { ValueName } from '../onnx/model.js'
import type { Feeds, LoadedGraph, Loader, LoadOptions, Results } from '../runtime/engine.js'
import { EngineDied, type FatalGraph } from '../runtime/engine-died.js'
import type { EngineName } from '../runtime/engines.js'
import { byteLength } from '../tensor/data-type.js'
import { elementCount } from '../tensor/tensor.js'
import { revive } from './call-failure.js'
import { MODELS, type TrialCall, type TrialReply, type TrialRequest } from './trial-child.js'

/** Milliseconds without a graph after which the process ends; it starts again where it is needed. */
const IDLE = 1000

/**
 * Memory that a network may take on its trial where nothing else is said: these bytes, so many times those of the model
 * and of what it is run on, and no more than this share of the machine's.
 */
const MEMORY = { bytes: 2 ** 31, perModelByte: 32, perFeedByte: 256, machineShare: 0.8 }

/** Milliseconds that loading, and each run, may take where nothing else is said. */
const TIME_LIMIT = 300_000

/** The same of a network with a Loop: how long that takes has nothing to do with the network's size. */
const LOOP_LIMIT = 60_000

/** NodeProto.op_type as it stands in a file. https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
const LOOP = Buffer.from('\x22\x04Loop')

export interface TriedGraph extends LoadedGraph {
  /** Like run(), but what it gives stays where it is. */
  tryRun(feeds: Feeds): Promise<void>
}

/** What the engine is given, and what it may take for it. */
interface Given {
  fatal: FatalGraph
  /** Bytes, beside the process's own. */
  memory: number
  milliseconds: number
}

interface Pending {
  given: Given | undefined
  resolve: (result: Results | undefined) => void
  reject: (error: Error) => void
}

/** Starts with the first graph, ends when there has been none for a while, and starts again after a death. */
export class TrialProcess implements Loader {
  private child: ChildProcess | undefined
  private readonly pending = new Map<number, Pending>()
  private nextId = 0
  /** Of the models by graph. */
  private readonly loadedBytes = new Map<number, number>()
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
  async load(model: Uint8Array, options: LoadOptions): Promise<TriedGraph> {
    const { limits, ...rest } = options
    const graph = this.nextId
    const child = this.process()
    const isAlive = (): boolean => this.child === child
    this.loadedBytes.set(graph, model.length)
    // Looking for these bytes takes less than a hundredth of what reading the network does.
    const hasLoop = Buffer.from(model.buffer, model.byteOffset, model.length).includes(LOOP)
    const given = (feeds: Feeds | undefined): Given => ({
      fatal: { model, options, feeds },
      memory: limits?.bytes ?? this.usualMemory(feeds),
      milliseconds: limits?.milliseconds ?? (hasLoop ? LOOP_LIMIT : TIME_LIMIT),
    })
    try {
      await this.call(child, { call: 'load', graph, bytes: model.length, options: rest }, given(undefined))
    } catch (error) {
      if (isAlive()) this.loadedBytes.delete(graph)
      throw error
    }
    const run = async (
      feeds: Feeds,
      outputs: readonly ValueName[] | undefined,
      isGiven: boolean,
    ): Promise<Results | undefined> => {
      if (!isAlive()) throw this.closed ?? new EngineDied('the trial process has ended', false, undefined)
      return await this.call(child, { call: 'run', graph, feeds, outputs, isGiven }, given(feeds))
    }
    return {
      run: async (feeds, outputs) => (await run(feeds, outputs, true)) as Results,
      tryRun: async (feeds) => void (await run(feeds, undefined, false)),
      release: async () => {
        if (!isAlive()) return
        this.loadedBytes.delete(graph)
        await this.call(child, { call: 'release', graph }, undefined)
      },
    }
  }

  /** Ends the process; calls under way fail with `reason`. */
  close(reason: Error): void {
    this.closed ??= reason
    this.lose(this.closed)
  }

  private usualMemory(feeds: Feeds = {}): number {
    const models = [...this.loadedBytes.values()].reduce((sum, bytes) => sum + bytes, 0)
    const fed = Object.values(feeds).reduce((sum, { type, dims }) => sum + byteLength(type, elementCount(dims)), 0)
    const { bytes, perModelByte, perFeedByte, machineShare } = MEMORY
    return Math.min(bytes + perModelByte * models + perFeedByte * fed, machineShare * memoryOfMachine())
  }

  private async call(child: ChildProcess, call: TrialCall, given: Given | undefined): Promise<Results | undefined> {
    if (this.closed !== undefined) throw this.closed
    const id = this.nextId++
    clearTimeout(this.idle)
    const milliseconds = given?.milliseconds ?? Infinity
    const timer = Number.isFinite(milliseconds)
      ? setTimeout(() => {
          this.limitReached = `takes more than ${milliseconds / 1000} s`
          child.kill('SIGKILL')
        }, milliseconds)
      : undefined
    try {
      return await new Promise((resolve, reject) => {
        this.pending.set(id, { given, resolve, reject })
        child.ref()
        if (call.call === 'load' && given !== undefined) (child.stdio[MODELS] as Writable).write(given.fatal.model)
        // What cannot be sent is told by the end of the process.
        child.send({ id, memory: given?.memory ?? Infinity, ...call } satisfies TrialRequest, () => undefined)
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
    if (this.loadedBytes.size > 0) return
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
    const given = [...this.pending.values()][0]?.given
    const isKilled = how === 'SIGKILL'
    const tooMuch = `takes more than ${Math.round((given?.memory ?? 0) / 2 ** 20)} MB of memory`
    const reason = isKilled ? (this.limitReached ?? tooMuch) : `died (${how})`
    this.limitReached = undefined
    this.lose(new EngineDied(reason, isKilled, given?.fatal))
  }

  private lose(error: Error): void {
    clearTimeout(this.idle)
    const { child } = this
    this.child = undefined
    this.loadedBytes.clear()
    const waiting = [...this.pending.values()]
    this.pending.clear()
    for (const { reject } of waiting) reject(error)
    child?.kill('SIGKILL')
  }
}

// In a container, what the container may take.
function memoryOfMachine(): number {
  const limit = constrainedMemory()
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem()
}
