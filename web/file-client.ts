// Calls to the page's worker.
import { revive } from '../src/execution/call-failure.js'
import type { Progress } from '../src/training/progress.js'
import type { FileCalls, FileReply, FileRequest } from './file-calls.js'

interface Pending {
  resolve: (result: unknown) => void
  reject: (error: Error) => void
  onProgress: ((progress: Progress) => void) | undefined
}

export class FileClient {
  private worker: Worker | undefined
  private readonly pending = new Map<number, Pending>()
  private nextId = 0

  /** @throws TtqError as the library; Error where the worker cannot be loaded or dies */
  call<C extends keyof FileCalls>(
    call: C,
    args: Parameters<FileCalls[C]>[0],
    onProgress?: (progress: Progress) => void,
  ): ReturnType<FileCalls[C]> {
    const id = this.nextId++
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve: resolve as Pending['resolve'], reject, onProgress })
      this.running().postMessage({ id, call, args } satisfies FileRequest)
    }) as ReturnType<FileCalls[C]>
  }

  /** Ends whatever the worker does, and lets go of its file; calls under way fail with `reason`. */
  stop(reason: Error): void {
    this.worker?.terminate()
    this.worker = undefined
    for (const { reject } of this.pending.values()) reject(reason)
    this.pending.clear()
  }

  private running(): Worker {
    if (this.worker !== undefined) return this.worker
    const worker = new Worker(new URL('file-worker.js', import.meta.url), { type: 'module' })
    worker.onmessage = ({ data: reply }: MessageEvent<FileReply>) => {
      const waiting = this.pending.get(reply.id)
      if ('progress' in reply) {
        waiting?.onProgress?.(reply.progress)
        return
      }
      this.pending.delete(reply.id)
      if ('result' in reply) waiting?.resolve(reply.result)
      else waiting?.reject(revive(reply.error))
    }
    worker.onerror = ({ message }) => {
      this.stop(new Error(`the page's worker ended: ${message || 'file-worker.js could not be loaded'}`))
    }
    this.worker = worker
    return worker
  }
}
