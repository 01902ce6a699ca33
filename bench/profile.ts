// `node dist/bench/profile.js <network> <batch> [steps]`: where the gradient graph's time goes on one thread, by
// operator.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { writeModel } from '../src/onnx/write-model.js'
import { elementCount } from '../src/tensor/tensor.js'
import { benchCase } from './bench-case.js'

interface Event {
  cat: string
  name: string
  dur: number
  args?: { op_name?: string; output_type_shape?: unknown; input_type_shape?: unknown }
}

const [network = 'resnet20', batch = '64', steps = '4', detail = ''] = process.argv.slice(2)
const { graph, sample } = await benchCase(network, Number(batch))
const folder = mkdtempSync(join(tmpdir(), 'ttq-profile-'))
const session = await InferenceSession.create(writeModel(graph.model), {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  enableProfiling: true,
  profileFilePrefix: join(folder, 'run'),
  logSeverityLevel: 3,
})
const feeds: Record<string, Tensor> = {}
for (const { name, type } of graph.model.graph.inputs) {
  const dims = type?.dims as readonly number[]
  const given = sample[name]?.data as Float32Array | undefined
  const initial = graph.parameters.find((parameter) => parameter.name === name)?.initial
  feeds[name] = new Tensor('float32', given ?? initial ?? new Float32Array(elementCount(dims)).fill(0.1), dims)
}
const durations: number[] = []
for (let i = 0; i < Number(steps); i++) {
  const start = performance.now()
  await session.run(feeds)
  durations.push(performance.now() - start)
}
session.endProfiling()
const events = JSON.parse(readFileSync(join(folder, readdirSync(folder)[0] as string), 'utf8')) as Event[]
rmSync(folder, { recursive: true })
const kernels = events.filter(({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'))
const totals = new Map<string, { ms: number; count: number }>()
for (const { args, dur } of kernels) {
  const key =
    detail === ''
      ? (args?.op_name ?? '')
      : `${args?.op_name} ${JSON.stringify(args?.input_type_shape)} -> ${JSON.stringify(args?.output_type_shape)}`
  const total = totals.get(key) ?? { ms: 0, count: 0 }
  totals.set(key, { ms: total.ms + dur / 1000 / Number(steps), count: total.count + 1 / Number(steps) })
}
const all = [...totals.values()].reduce((sum, { ms }) => sum + ms, 0)
console.log(`${network}, batch ${batch}: ${Math.min(...durations).toFixed(0)} ms at best, kernels ${all.toFixed(0)} ms`)
for (const [key, { ms, count }] of [...totals].sort((a, b) => b[1].ms - a[1].ms).slice(0, detail === '' ? 20 : 60)) {
  console.log(
    `${ms.toFixed(1).padStart(7)} ms ${((100 * ms) / all).toFixed(1).padStart(5)} % ${String(count).padStart(5)} ` +
      `x ${key.replaceAll('"float":', '')}`,
  )
}
