// Completion scripts, as their shells read them; those of shells that are not installed here are looked at only.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { commandsFor } from '../../src/cli/command-list.js'
import { COMPLETIONS } from '../../src/cli/completion/completions.js'
import { runHere } from './run-here.js'
import { temporaryFolder } from './run-program.js'

const isThere = (shell: string): boolean => spawnSync(shell, ['-c', 'exit 0']).status === 0

describe('completion', () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'net.onnx'), '')
  writeFileSync(join(folder, 'net.ttq'), '')
  writeFileSync(join(folder, 'notes.txt'), '')

  const scriptFor = async (shell: string): Promise<string> => {
    const { code, stdout, stderr } = await runHere(folder, ['completion', shell])
    assert.equal(stderr, '')
    assert.equal(code, 0)
    return stdout
  }
  const shellRun = (shell: string, args: readonly string[]): string => {
    const { status, stdout, stderr } = spawnSync(shell, args, { cwd: folder, encoding: 'utf8' })
    assert.equal(stderr, '')
    assert.equal(status, 0)
    return stdout
  }

  test('every shell gets every command, every long option and every choice', async () => {
    const commands = await commandsFor('all')
    assert.ok(commands.length > 9)
    for (const [shell, script] of Object.entries(COMPLETIONS)) {
      const text = script(commands)
      for (const { name, options } of commands) {
        assert.ok(text.includes(name), `${shell}: ${name}`)
        for (const [option, { choices = [] }] of Object.entries(options)) {
          const written = shell === 'fish' ? `-l ${option} ` : `--${option}`
          assert.ok(text.includes(written), `${shell}: --${option}`)
          for (const choice of choices) assert.ok(text.includes(choice), `${shell}: --${option} ${choice}`)
        }
      }
    }
  })

  const CASES: readonly (readonly [words: readonly string[], found: string])[] = [
    [['com'], 'compress completion compare'],
    [['compress', '--re'], '--resize --renormalize --rest --recipe --resume --report'],
    [['compress', '--no-'], '--no-augment --no-config'],
    [['compress', '--rest', ''], 'fp32 fp16 int8'],
    [['compress', '--rest', '=', 'i'], 'int8'],
    [['compress', 'm.onnx', '--compare', 't'], 'ttq twn'],
    [['compress', 'n'], 'net.onnx'],
    [['evaluate', 'n'], 'net.onnx net.ttq'],
    [['unpack', 'net.ttq', '-o', 'no'], 'notes.txt'],
    [['train', 'net.onnx', '--data', 'mnist', ':', 'no'], 'notes.txt'],
    [['new', 'resnet2'], 'resnet20'],
    [['help', 'da'], 'data datasets'],
    [['help', 'comp'], 'compress completion compare'],
    [['completion', 'z'], 'zsh'],
  ]

  test('bash', { skip: !isThere('bash') }, async () => {
    writeFileSync(join(folder, 'ttq.bash'), await scriptFor('bash'))
    const tries = CASES.map(
      ([words]) =>
        `COMP_WORDS=(ttq ${words.map((word) => `'${word}'`).join(' ')}); ` +
        'COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _ttq; echo "${COMPREPLY[*]}"',
    )
    const lines = shellRun('bash', ['-c', `source ttq.bash\n${tries.join('\n')}`]).split('\n')
    CASES.forEach(([words, found], i) => {
      assert.deepEqual(lines[i]?.split(' ').sort(), found.split(' ').sort(), words.join(' '))
    })
  })

  test('zsh reads its script', { skip: !isThere('zsh') }, async () => {
    writeFileSync(join(folder, 'ttq.zsh'), await scriptFor('zsh'))
    const text = shellRun('zsh', [
      '-fc',
      'autoload -U compinit; compinit -u -d ./dump; source ./ttq.zsh; whence -w _ttq; print $_comps[ttq]',
    ])
    assert.equal(text, '_ttq: function\n_ttq\n')
  })

  test('fish', { skip: !isThere('fish') }, async () => {
    writeFileSync(join(folder, 'ttq.fish'), await scriptFor('fish'))
    const found = (line: string): string[] =>
      shellRun('fish', ['--no-config', '-c', `source ttq.fish; complete -C '${line}'`])
        .split('\n')
        .flatMap((each) => each.split('\t')[0] || [])
    assert.deepEqual(found('ttq com').sort(), ['compare', 'completion', 'compress'])
    assert.deepEqual(found('ttq compress --rest '), ['fp16', 'fp32', 'int8'])
    // fish shows the others as well, behind those that fit.
    assert.equal(found('ttq compress n')[0], 'net.onnx')
  })

  test('powershell', { skip: !isThere('pwsh') }, async () => {
    writeFileSync(join(folder, 'ttq.ps1'), await scriptFor('powershell'))
    const line = 'ttq compress --rest '
    const text = shellRun('pwsh', [
      '-NoProfile',
      '-Command',
      `. ./ttq.ps1; (TabExpansion2 '${line}' ${line.length}).CompletionMatches.CompletionText -join ' '`,
    ])
    assert.equal(text.trim(), 'fp32 fp16 int8')
  })
})
