// ttq completion: a script for a shell, from the commands and the option table.
import { closestName } from '../../errors/closest-name.js'
import { TtqError } from '../../errors/ttq-error.js'
import type { Arguments, CommandBody, Program } from '../command.js'
import { COMPLETIONS } from '../completion/completions.js'
import { EXIT } from '../exit-codes.js'
import type { Terminal } from '../terminal.js'

const SHELLS = Object.keys(COMPLETIONS)

export const completionCommand: CommandBody = {
  operand: { name: 'shell', describe: SHELLS.join(', '), choices: SHELLS },
  options: {},
  examples: [
    ['$0 completion zsh > ~/.zfunc/_ttq', 'a folder of fpath, before compinit'],
    ['$0 completion fish > ~/.config/fish/completions/ttq.fish', 'read by the next fish'],
    ['$0 completion powershell | Out-String | Invoke-Expression', 'in $PROFILE, for every session'],
  ],
  run: runCompletion,
}

async function runCompletion({ operand }: Arguments, terminal: Terminal, program: Program): Promise<number> {
  const script = Object.hasOwn(COMPLETIONS, operand) ? COMPLETIONS[operand] : undefined
  if (script === undefined) {
    const closest = closestName(operand, SHELLS)
    throw new TtqError('usage', `completion: unknown shell "${operand}", expected ${SHELLS.join(', ')}`, {
      ...(closest === undefined ? {} : { hint: `Did you mean ${closest}?` }),
    })
  }
  await terminal.write(script(await program.commands('all')))
  return EXIT.done
}
