// Scripts that complete command lines, by shell.
import type { Command } from '../command.js'
import { bashCompletion } from './bash-completion.js'
import { fishCompletion } from './fish-completion.js'
import { powershellCompletion } from './powershell-completion.js'
import { zshCompletion } from './zsh-completion.js'

export const COMPLETIONS: Readonly<Record<string, (commands: readonly Command[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
  powershell: powershellCompletion,
}
