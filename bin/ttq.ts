#!/usr/bin/env node
// The entry of the program. It must run on any Node: an old one is told what is needed, in words of its own time.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major > 20 || (major === 20 && minor >= 19)) {
  const { main } = await import('../src/cli/main.js')
  await main(process.argv.slice(2))
} else {
  process.stderr.write(`ttq: this is Node ${process.versions.node}, expected 20.19 or later: https://nodejs.org\n`)
  process.exitCode = 1
}
