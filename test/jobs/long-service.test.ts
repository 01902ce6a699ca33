// A process that compresses one network after the other: what a compression takes, it gives back.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { hasCode } from '../../src/errors/ttq-error.js'
import { compress } from '../../src/jobs/compress.js'
import { loaderModule, smallNetwork } from '../cli/small-network.js'
import { seeded } from '../onnx/fixtures.js'

const folder = mkdtempSync(join(tmpdir(), 'ttq-service-'))
after(() => {
  rmSync(folder, { recursive: true, force: true })
})
const LOADER = join(folder, 'loader.mjs')
writeFileSync(LOADER, loaderModule())

const TIMES = 40
const AT_ONCE = 4
/** Every so many of them train; the others fit without data. */
const TRAINED = 5

interface Taken {
  resources: Record<string, number>
  /** Of the system; undefined where it does not tell. */
  threads: number | undefined
  children: number | undefined
}

function taken(): Taken {
  const resources: Record<string, number> = {}
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1
  const tasks = '/proc/self/task'
  if (!existsSync(tasks)) return { resources, threads: undefined, children: undefined }
  return { resources, threads: readdirSync(tasks).length, children: childrenOf(process.pid) }
}

function childrenOf(parent: number): number {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false
    try {
      return readParent(name) === parent
    } catch {
      return false
    }
  }).length
}

function readParent(pid: string): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1])
}

// Processes that nobody needs any more take a moment to end.
async function settled(): Promise<Taken> {
  let found = taken()
  for (let i = 0; i < 100 && (found.children ?? 0) > 0; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    found = taken()
  }
  return found
}

test('forty compressions, four at once, some of them stopped: threads, handles and memory come back', async () => {
  const bytes = smallNetwork()
  const random = seeded(7)
  const outcomes = { done: 0, stopped: 0 }
  const one = async (index: number): Promise<void> => {
    const controller = new AbortController()
    const timer = random() < 0.3 ? setTimeout(() => controller.abort(), random() * 300) : undefined
    const data = index % TRAINED === 0 ? { data: LOADER, epochs: 1, threads: 1, anyway: true } : {}
    try {
      await compress(bytes, { name: 'm.onnx', signal: controller.signal, ...data })
      outcomes.done++
    } catch (error) {
      assert.ok(hasCode(error, 'interrupted'), String(error))
      outcomes.stopped++
    } finally {
      clearTimeout(timer)
    }
  }
  const many = async (count: number): Promise<void> => {
    let next = 0
    const serve = async (): Promise<void> => {
      while (next < count) await one(next++)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, serve))
  }
  // What is loaded once stays.
  await many(2 * AT_ONCE)
  const before = await settled()
  const memory = process.memoryUsage.rss()
  await many(TIMES)
  const now = await settled()
  assert.deepEqual([now.children, now.resources], [before.children, before.resources])
  // The system's own come and go by one or two.
  if (before.threads !== undefined)
    assert.ok((now.threads as number) <= before.threads + 2, JSON.stringify([before, now]))
  assert.ok(outcomes.done > TIMES / 2 && outcomes.stopped > 5, JSON.stringify(outcomes))
  const grown = (process.memoryUsage.rss() - memory) / 2 ** 20
  assert.ok(grown < 150, `${grown.toFixed(0)} MB more`)
})
