// The entry of the program on a Node that is too old for the rest of it.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { PROGRAM } from './run-program.js'

function runAs(version: string): { code: number | null; stderr: string } {
  const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`
  const flags = ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`]
  const { status, stderr } = spawnSync(process.execPath, [...flags, PROGRAM, '--version'], { encoding: 'utf8' })
  return { code: status, stderr }
}

for (const version of ['16.20.2', '18.20.8', '20.18.3']) {
  test(`Node ${version} is told what is needed`, () => {
    const expected = `ttq: this is Node ${version}, expected 20.19 or later: https://nodejs.org\n`
    assert.deepEqual(runAs(version), { code: 1, stderr: expected })
  })
}

for (const version of ['20.19.0', '22.1.0', '30.0.0'])
  test(`Node ${version} will do`, () => {
    assert.deepEqual(runAs(version), { code: 0, stderr: '' })
  })
