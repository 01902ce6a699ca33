// Loaders and configs in folders where Node takes .js files for CommonJS.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { commonJs } from '../../src/data/module-kind.js'
import { runHere } from './run-here.js'
import { run, temporaryFolder } from './run-program.js'
import { loaderModule, smallNetwork } from './small-network.js'

const base = temporaryFolder()

// With a network, and a package.json that says so.
function folderOf(packageJson: string): string {
  const folder = mkdtempSync(join(base, 'kind-'))
  writeFileSync(join(folder, 'package.json'), packageJson)
  writeFileSync(join(folder, 'm.onnx'), smallNetwork())
  return folder
}

describe('where package.json says "commonjs"', () => {
  const says = 'as package.json says "type": "commonjs"'
  const remedy = (name: string): string => `Name it ${name}, or say "type": "module" in package.json.\n`

  for (const [name, remedied, ...args] of [
    ['ttq.config.js', 'ttq.config.mjs', 'init', 'm.onnx', '--data', 'none'],
    ['l.js', 'l.mjs', 'new', 'loader', '--model', 'm.onnx'],
  ] as const)
    test(`ttq ${args[0]} writes no module named ${name}`, async () => {
      const folder = folderOf('{"type":"commonjs"}')
      const { code, stdout, stderr } = await runHere(folder, [...args, '-o', name])
      const expected = `ttq: --output: Node takes ${name} for CommonJS, ${says}, expected the name of an ES module. `
      assert.deepEqual([code, stdout, stderr], [2, '', expected + remedy(remedied)])
      assert.deepEqual(readdirSync(folder).sort(), ['m.onnx', 'package.json'])
      const other = await runHere(folder, [...args, '-o', remedied])
      assert.equal(other.code, 0, other.stderr)
    })

  test('a config and a loader that are there say why they fail, and Node says nothing', async () => {
    const folder = folderOf('{"type":"commonjs"}')
    writeFileSync(join(folder, 'c.js'), '\nexport default {}\n')
    writeFileSync(join(folder, 'l.js'), "import 'node:fs'\n")
    const why = `Node takes the file for CommonJS, ${says}. `
    assert.deepEqual(await run(folder, ['compress', 'm.onnx', '--config', 'c.js']), {
      ...{ code: 2, stdout: '', bytes: Buffer.alloc(0) },
      stderr: `ttq: c.js: Unexpected token 'export' (line 2): ${why}${remedy('c.mjs')}`,
    })
    const { stderr } = await run(folder, ['evaluate', 'm.onnx', '--data', './l.js'])
    const found = 'Cannot use import statement outside a module (line 1)'
    assert.equal(stderr, `ttq: ./l.js: cannot be loaded: ${found}: ${why}${remedy('l.mjs')}`)
  })

  test('CommonJS is read as ever, and so are faults of another kind', async () => {
    const folder = folderOf('{"type":"commonjs"}')
    writeFileSync(join(folder, 'c.js'), 'module.exports = { maxDrop: 1 }\n')
    const { code, stderr } = await runHere(folder, ['compress', 'm.onnx', '--config', 'c.js', '--print-config'])
    assert.equal(code, 0, stderr)
    writeFileSync(join(folder, 'b.js'), 'module.exports = { maxDrop: }\n')
    const broken = await runHere(folder, ['compress', 'm.onnx', '--config', 'b.js'])
    assert.equal(broken.stderr, "ttq: b.js: Unexpected token '}'\n")
  })

  test('a module that such a file is imported by', async () => {
    const folder = folderOf('{"type":"commonjs"}')
    writeFileSync(join(folder, 'help.js'), 'export const help = 1\n')
    writeFileSync(join(folder, 'l.mjs'), `import './help.js'\n${loaderModule()}`)
    const { stderr } = await run(folder, ['evaluate', 'm.onnx', '--data', './l.mjs'])
    const hint =
      'Node took an ES module for CommonJS: name it .mjs, or say "type": "module" in the package.json nearest'
    assert.match(stderr, new RegExp(`ttq: ./l.mjs: .*Unexpected token 'export'.* ${hint} to it\\.\n$`))
  })
})

describe('what Node takes a file for', () => {
  const inFolder = (packageJson: string, name: string, node?: string): string | undefined => {
    const folder = folderOf(packageJson)
    mkdirSync(join(folder, 'deep'))
    return commonJs(join(folder, 'deep', name), node)?.why.replace(/^.*package\.json/, '<package.json>')
  }

  test('the ending, else the nearest package.json, else what the version of Node does', () => {
    for (const [packageJson, name, node, expected] of [
      ['{"type":"commonjs"}', 'a.mjs', undefined, undefined],
      ['{"type":"module"}', 'a.cjs', undefined, 'its name ends in .cjs'],
      ['{"type":"module"}', 'a.js', '22.1.0', undefined],
      ['{"type":"commonjs"}', 'a.js', undefined, '<package.json> says "type": "commonjs"'],
      ['{"type":"commonjs"}', 'a.ts', undefined, '<package.json> says "type": "commonjs"'],
      ['{"type":"commonjs"}', 'a.mts', undefined, undefined],
      ['{}', 'a.js', '20.19.0', undefined],
      ['{}', 'a.js', '22.7.0', undefined],
      ['{}', 'a.js', '24.0.0', undefined],
      ['{}', 'a.js', '22.6.0', '<package.json> does not say "type": "module"'],
      ['{}', 'a.js', '21.7.3', '<package.json> does not say "type": "module"'],
      ['no JSON', 'a.js', '22.1.0', '<package.json> does not say "type": "module"'],
      ['{}', 'a', '22.1.0', undefined],
    ] as const)
      assert.equal(inFolder(packageJson, name, node), expected, `${packageJson} ${name} ${node}`)
  })

  test('of a link, that of the file', { skip: process.platform === 'win32' && 'links need rights' }, () => {
    const folder = folderOf('{"type":"commonjs"}')
    writeFileSync(join(folder, 'a.mjs'), '')
    symlinkSync(join(folder, 'a.mjs'), join(folder, 'b.js'))
    assert.equal(commonJs(join(folder, 'b.js')), undefined)
  })
})
