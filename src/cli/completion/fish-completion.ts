// For fish.
import type { Command } from '../command.js'
import { completable, type CompletableCommand, type CompletableOption, type Values } from './completable.js'

/** The script: `ttq completion fish | source`, or a file ttq.fish among fish's completions. */
export function fishCompletion(commands: readonly Command[]): string {
  const all = completable(commands)
  const names = all.map(({ name }) => name).join(' ')
  return `${[
    '# Completion of ttq for fish: ttq completion fish | source',
    'complete -c ttq -e',
    'complete -c ttq -f',
    `set -l none "not __fish_seen_subcommand_from ${names}"`,
    'complete -c ttq -n $none -l help -s h -d "show this help"',
    'complete -c ttq -n $none -l version -d "show the version"',
    ...all.map(({ name, about }) => `complete -c ttq -n $none -a ${name} -d ${quoted(about)}`),
    ...all.flatMap(commandLines),
  ].join('\n')}\n`
}

function commandLines({ name, operand, options }: CompletableCommand): string[] {
  const start = `complete -c ttq -n "__fish_seen_subcommand_from ${name}"`
  return [
    ...options.map((option) => `${start} ${optionWords(option)}`),
    ...(operand === undefined || operand.kind === 'text' ? [] : [`${start} ${valueWords(operand, '')}`]),
  ]
}

function optionWords({ names, about, values }: CompletableOption): string {
  const words = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`))
  return `${words.join(' ')} -d ${quoted(about)}${values === undefined ? '' : ` ${valueWords(values, '-r ')}`}`
}

function valueWords(values: Values, required: string): string {
  switch (values.kind) {
    case 'words':
      return `${required}-f -a ${quoted(values.words.join(' '))}`
    case 'files':
      return values.endings.length === 0
        ? `${required}-F`
        : `${required}-k -a ` +
            `${quoted(`(__fish_complete_suffix ${values.endings.map((ending) => `.${ending}`).join(' ')})`)}`
    case 'folders':
      return `${required}-f -a '(__fish_complete_directories)'`
    case 'text':
      return `${required}-f`
  }
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}
