// What this machine offers to training: processor, memory, devices, how fast it is just now.
import './no-telemetry.js'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { blockedChannels } from './blocked-channels.js'
import { type Device, DEVICE_NAMES, TFJS_NAMES, type TfjsName } from '../options/choices.js'
import { instructionSets, linuxProcessorFlags, macProcessorFlags } from './instruction-sets.js'
import { describeMachine, type MachineFacts } from './describe-machine.js'
import { deviceFault, offeredDevices } from './offered-devices.js'
import { onnxRuntime } from './onnx-runtime.js'
import { productRate } from './product-rate.js'
import { versionOf } from './tfjs/packages.js'

export interface Machine extends MachineFacts {
  /** Of AVX2, AVX-512, VNNI and NEON those that are there; null where that is not known. */
  instructionSets: readonly string[] | null
  /** Channels per block of ONNX Runtime's blocked convolution; null where it has none here. */
  blockedChannels: number | null
  /** Of a 1024 x 1024 matrix product on one thread. */
  gflopsPerCore: number
  devices: readonly DeviceState[]
  /** Beside ONNX Runtime. */
  engines: readonly EngineState[]
}

export interface EngineState {
  name: TfjsName
  /** null where it is not installed. */
  version: string | null
  /** Whether it computed something small, right, just now. */
  works: boolean
  /** Why an installed engine does not work; null otherwise. */
  fault: string | null
}

export interface DeviceState {
  name: Device
  /** Whether the installed ONNX Runtime can try to use it. */
  offered: boolean
  /** Whether it computed something small, right, just now. */
  works: boolean
  /** Why an offered device does not work; null otherwise. */
  fault: string | null
}

const RATE = { rounds: 20, patienceMs: 400 } as const

/** Looks, tries and measures; takes about a second. */
export async function examineMachine(): Promise<Machine> {
  const flags = processorFlags()
  const rate = await productRate(RATE)
  const offered = offeredDevices()
  return {
    ...describeMachine(),
    instructionSets: flags === undefined ? null : instructionSets(flags),
    blockedChannels: (await blockedChannels(onnxRuntime)) ?? null,
    gflopsPerCore: rate,
    devices: await Promise.all(DEVICE_NAMES.map((name) => deviceState(name, offered.includes(name)))),
    engines: await Promise.all(TFJS_NAMES.map(engineState)),
  }
}

async function engineState(name: TfjsName): Promise<EngineState> {
  const version = versionOf(name)
  const fault = version === undefined ? undefined : await deviceFault('cpu', name)
  return { name, version: version ?? null, works: version !== undefined && fault === undefined, fault: fault ?? null }
}

async function deviceState(name: Device, offered: boolean): Promise<DeviceState> {
  // This process has just computed on the cpu.
  const fault = !offered || name === 'cpu' ? undefined : await deviceFault(name)
  return { name, offered, works: offered && fault === undefined, fault: fault ?? null }
}

// A container's limit, where there is one; 0 and huge numbers stand for none.
function processorFlags(): string[] | undefined {
  try {
    if (process.platform === 'linux') return linuxProcessorFlags(readFileSync('/proc/cpuinfo', 'utf8'))
    if (process.platform === 'darwin')
      return macProcessorFlags(execFileSync('sysctl', ['hw.optional'], { encoding: 'utf8' }))
  } catch {
    // Not known is an answer here.
  }
  return undefined
}
