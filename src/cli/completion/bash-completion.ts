// For bash 3.2 and later (macOS has that), without the package bash-completion.
import type { Command } from '../command.js'
import { completable, type CompletableCommand, type Values } from './completable.js'

/** The script: `source <(ttq completion bash)`. */
export function bashCompletion(commands: readonly Command[]): string {
  const all = completable(commands)
  return `# Completion of ttq for bash: source <(ttq completion bash)
_ttq_words() { COMPREPLY=($(compgen -W "$1" -- "$cur")); }
_ttq_files() {
  local IFS=$'\\n' ending
  compopt -o filenames 2>/dev/null
  if [ $# -eq 0 ]; then COMPREPLY=($(compgen -f -- "$cur")); return; fi
  COMPREPLY=($(compgen -d -- "$cur"))
  for ending in "$@"; do COMPREPLY+=($(compgen -f -X "!*.$ending" -- "$cur")); done
}
_ttq_folders() {
  local IFS=$'\\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen -d -- "$cur"))
}
_ttq() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" command= i
  COMPREPLY=()
  # bash takes --rest=int8 and cifar10:folder apart.
  case "$cur" in =|:) cur= ;; esac
  if [ "$prev" = = ] && [ "$COMP_CWORD" -ge 2 ]; then prev="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  if [ "$prev" = : ]; then _ttq_files; return; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      ${all.map(({ name }) => name).join('|')}) command="\${COMP_WORDS[i]}"; break ;;
    esac
  done
  case "$command" in
    '') _ttq_words '${all.map(({ name }) => name).join(' ')} --help --version' ;;
${all.map(commandCase).join('\n')}
  esac
}
complete -F _ttq ttq
`
}

function commandCase({ name, operand, options }: CompletableCommand): string {
  const taking = options.flatMap(({ names, values }) => (values === undefined ? [] : [{ names, values }]))
  const names = options.flatMap((option) => option.names.filter((each) => each.startsWith('--')))
  return [
    `    ${name})`,
    '      case "$prev" in',
    ...taking.map((option) => `        ${option.names.join('|')}) ${call(option.values)}; return ;;`),
    '      esac',
    '      case "$cur" in',
    `        -*) _ttq_words '${names.join(' ')}' ;;`,
    ...(operand === undefined ? [] : [`        *) ${call(operand)} ;;`]),
    '      esac',
    '      ;;',
  ].join('\n')
}

function call(values: Values): string {
  switch (values.kind) {
    case 'words':
      return `_ttq_words '${values.words.join(' ')}'`
    case 'files':
      return ['_ttq_files', ...values.endings].join(' ')
    case 'folders':
      return '_ttq_folders'
    case 'text':
      return ':'
  }
}
