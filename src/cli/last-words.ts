// What is said when the process ends without being asked: killed, out of memory, or dead inside ONNX Runtime. Only
// another process can say it; it is started where there is something to say.
import { type ChildProcess, spawn } from 'node:child_process'

let isProgram = false
let watcher: ChildProcess | undefined

/** To be called by the program itself; in anybody else's process nothing is watched. */
export function watchOver(): void {
  isProgram = true
}

/**
 * What stderr says should this process be lost, if there is a file at `path` by then; replaces what was left before.
 * @param path absolute
 */
export function leaveWords(words: string, path: string): void {
  if (!isProgram) return
  const line = JSON.stringify({ words, path })
  // Its first words go along with its start: they must not be lost with a process that is killed right after.
  if (watcher === undefined) watcher = start(line)
  else watcher.stdin?.write(`${line}\n`)
}

// The watcher reads until its stdin ends, which it does with this process; one that ends as it should takes it along.
const WATCH = `
let text = process.argv[1] + '\\n'
process.stdin.setEncoding('utf8').on('data', (data) => { text += data }).on('end', () => {
  const { words, path } = JSON.parse(text.trimEnd().split('\\n').at(-1))
  if (require('node:fs').existsSync(path)) process.stderr.write('ttq: the program was killed or died (out of memory, or inside ONNX Runtime); ' + words + '\\n')
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined)`

function start(line: string): ChildProcess {
  const child = spawn(process.execPath, ['--eval', WATCH, line], {
    stdio: ['pipe', 'ignore', 'inherit'],
    // Its own group: Ctrl-C in the terminal is not meant for it.
    detached: true,
    windowsHide: true,
  })
  child.on('error', () => undefined)
  child.stdin.on('error', () => undefined)
  child.unref()
  ;(child.stdin as unknown as { unref: () => void }).unref()
  process.on('exit', () => child.kill('SIGKILL'))
  return child
}
