// For zsh: as a file _ttq in a folder of fpath, or read by `source`.
import type { Command } from '../command.js'
import { completable, type CompletableCommand, type CompletableOption, type Values } from './completable.js'

/** The script: `source <(ttq completion zsh)` behind compinit. */
export function zshCompletion(commands: readonly Command[]): string {
  const all = completable(commands)
  return `#compdef ttq
# Completion of ttq for zsh: source <(ttq completion zsh), or a file _ttq in a folder of fpath
_ttq() {
  local curcontext="$curcontext" state line
  local -A opt_args
  local -a commands
  commands=(
${all.map(({ name, about }) => `    ${quoted(`${name}:${about}`)}`).join('\n')}
  )
  _arguments -C '(- *)--help[show this help]' '(- *)--version[show the version]' '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe -t commands command commands ;;
    argument)
      case $words[1] in
${all.map(commandCase).join('\n')}
      esac
      ;;
  esac
}
if [[ $funcstack[1] == _ttq ]]; then _ttq "$@"; else compdef _ttq ttq; fi
`
}

function commandCase({ name, operand, options }: CompletableCommand): string {
  const specs = [
    ...options.flatMap(optionSpecs),
    ...(operand === undefined ? [] : [quoted(`*:${name === 'new' ? 'network' : 'argument'}:${action(operand)}`)]),
  ]
  return [
    `        ${name}) _arguments -s \\`,
    specs.map((spec) => `          ${spec}`).join(' \\\n'),
    '          ;;',
  ].join('\n')
}

function optionSpecs({ names, about, values }: CompletableOption): string[] {
  // Long options take their value behind = as well.
  return names.map((name) =>
    quoted(
      `${name}${values !== undefined && name.startsWith('--') ? '=' : ''}[${about.replace(/[[\]\\]/g, '\\$&')}]` +
        (values === undefined ? '' : `:value:${action(values)}`),
    ),
  )
}

function action(values: Values): string {
  switch (values.kind) {
    case 'words':
      return `(${values.words.join(' ')})`
    case 'files':
      return values.endings.length === 0 ? '_files' : `_files -g "*.(${values.endings.join('|')})(-.)"`
    case 'folders':
      return '_files -/'
    case 'text':
      return ' '
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
