// The report of ttq doctor as text for people.
import type { Machine } from '../runtime/examine-machine.js'
import { facts, sizeText, table } from './table.js'

/** What `ttq doctor --json` prints. */
export interface DoctorReport extends Machine {
  schema: 'ttq-doctor/1'
  /** Program version. */
  ttq: string
}

/** Facts, then the devices and the engines; ends with a newline. */
export function renderDoctorReport(report: DoctorReport): string {
  const devices = report.devices.map(({ name, offered, works, fault }) => [
    name,
    offered ? 'yes' : 'no',
    works ? 'yes' : 'no',
    fault ?? (offered ? '' : 'not in the installed ONNX Runtime'),
  ])
  const engines = report.engines.map(({ name, version, works, fault }) => [
    name,
    version ?? 'no',
    works ? 'yes' : 'no',
    fault ?? (version === null ? 'not installed' : ''),
  ])
  const left = ['left', 'left', 'left', 'left'] as const
  return [
    facts(summary(report)),
    table(['device', 'offered', 'works', 'because'], devices, left),
    `${table(['engine', 'found', 'works', 'because'], engines, left)}\n`,
  ].join('\n\n')
}

function summary(report: DoctorReport): [string, string][] {
  const { instructionSets, blockedChannels } = report
  return [
    ['ttq', report.ttq],
    ['Node', `${report.node}, ${report.platform} ${report.architecture}`],
    ['ONNX Runtime', report.onnxruntime],
    ['processor', report.processor],
    ['cores', String(report.cores)],
    ['memory', sizeText(report.memoryBytes)],
    [
      'instruction sets',
      instructionSets === null ? 'unknown' : instructionSets.join(', ') || 'none of those that matter',
    ],
    [
      'blocked convolution',
      blockedChannels === null
        ? 'not here: plain convolutions are used'
        : `works, ${blockedChannels} channels per block`,
    ],
    ['matrix product', `${report.gflopsPerCore.toFixed(0)} GFLOP/s per core`],
  ]
}
