// Which devices the installed ONNX Runtime offers, and whether they work on this machine.
import './no-telemetry.js'
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { listSupportedBackends } from 'onnxruntime-node'
import { TtqError } from '../errors/ttq-error.js'
import { type Device, DEVICE_NAMES } from '../options/choices.js'
import type { EngineName } from './engines.js'

/** Milliseconds that a device may take to compute a sum: CUDA loads for seconds. */
const TRIAL_PATIENCE = 60_000

/** Devices that the installed build can try to use: compiled in, or with their library beside it. cpu comes first. */
export function offeredDevices(): Device[] {
  const backends = new Map(listSupportedBackends().map(({ name, bundled }) => [name, bundled]))
  return DEVICE_NAMES.filter((device) => backends.get(device) === true || (backends.has(device) && hasLibrary(device)))
}

// A provider that is not compiled in is a library of its own (libonnxruntime_providers_cuda.so), which npm's package
// leaves out.
function hasLibrary(device: Device): boolean {
  const bin = join(createRequire(import.meta.url).resolve('onnxruntime-node'), '../../bin')
  return readdirSync(bin, { recursive: true, encoding: 'utf8' }).some((file) => {
    return file.includes(join(process.platform, process.arch)) && file.includes(`onnxruntime_providers_${device}.`)
  })
}

/**
 * Computes something small on a device, or with another engine. In a process of its own, because a driver that is
 * broken may print, hang or crash.
 * @returns why it does not work, or undefined when it does
 */
export async function deviceFault(device: Device, engine: EngineName = 'onnxruntime'): Promise<string | undefined> {
  const trial = fileURLToPath(new URL('./device-trial.js', import.meta.url))
  try {
    await promisify(execFile)(process.execPath, [trial, device, engine], { timeout: TRIAL_PATIENCE })
    return undefined
  } catch (cause) {
    const { stdout, killed, signal } = cause as { stdout?: string; killed?: boolean; signal?: string | null }
    if (killed === true) return `no answer in ${TRIAL_PATIENCE / 1000} s`
    return stdout?.trim() || `the trial was ended by ${signal ?? 'an error'}`
  }
}

/**
 * @throws TtqError `usage` when the installed ONNX Runtime does not offer the device, or it does not work here
 */
export async function requireDevice(device: Device): Promise<void> {
  if (device === 'cpu') return
  const offered = offeredDevices()
  if (!offered.includes(device)) {
    throw new TtqError(
      'usage',
      `--device: found ${device}, expected one that the installed ONNX Runtime offers: ${offered.join(', ')}`,
      {
        facts: { device, offered },
        hint: 'ttq doctor shows what works here.',
      },
    )
  }
  const fault = await deviceFault(device)
  if (fault === undefined) return
  throw new TtqError(
    'usage',
    `--device: found ${device}, which ONNX Runtime offers but cannot use here (${fault}), expected a device that works`,
    {
      facts: { device, fault },
      hint: 'ttq doctor shows what works here.',
    },
  )
}
