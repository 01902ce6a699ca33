// What this machine is, as far as it says so at once.
import './no-telemetry.js'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { env } from 'onnxruntime-node'

export interface MachineFacts {
  /** Versions. */
  node: string
  onnxruntime: string
  /** As Node names them: linux, x64. */
  platform: string
  architecture: string
  processor: string
  /** Threads that run at once, as far as this process may. */
  cores: number
  /** Main memory, or the limit of the container. */
  memoryBytes: number
}

export function describeMachine(): MachineFacts {
  return {
    node: process.versions.node,
    onnxruntime: env.versions.node ?? 'unknown',
    platform: process.platform,
    architecture: process.arch,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: memoryLimit(),
  }
}

function memoryLimit(): number {
  const limit = process.constrainedMemory()
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem()
}
