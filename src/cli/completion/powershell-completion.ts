// For PowerShell 5 and later: files are its own business wherever a script gives nothing.
import type { Command } from '../command.js'
import { completable, type CompletableCommand } from './completable.js'

/** The script: `ttq completion powershell | Out-String | Invoke-Expression`. */
export function powershellCompletion(commands: readonly Command[]): string {
  const all = completable(commands)
  return `# Completion of ttq for PowerShell: ttq completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName ttq -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $commands = [ordered]@{
${all.map(({ name, about }) => `    ${quoted(name)} = ${quoted(about)}`).join('\n')}
  }
  $options = @{
${all.map(optionsOf).join('\n')}
  }
  $values = @{
${all.flatMap(valuesOf).join('\n')}
  }
  $words = @($commandAst.CommandElements | ForEach-Object { $_.ToString() } | Select-Object -Skip 1)
  $command = $words | Where-Object { $commands.Contains($_) } | Select-Object -First 1
  # The word in front of the cursor; the one that is being written is the last.
  $before = if ($wordToComplete -eq '') { $words | Select-Object -Last 1 } else { $words | Select-Object -Last 2 | Select-Object -First 1 }
  $found =
    if (-not $command -or $command -eq $wordToComplete) { $commands.Keys }
    elseif ($values.ContainsKey("$command $before")) { $values["$command $before"] }
    elseif ($wordToComplete -like '-*') { $options[$command] }
    elseif ($values.ContainsKey($command)) { $values[$command] }
  $found | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {
    $about = if ($commands.Contains($_)) { $commands[$_] } else { $_ }
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $about)
  }
}
`
}

function optionsOf({ name, options }: CompletableCommand): string {
  const names = options.flatMap((option) => option.names.filter((each) => each.startsWith('--')))
  return `    ${quoted(name)} = ${list(names)}`
}

function valuesOf({ name, operand, options }: CompletableCommand): string[] {
  const behind = operand?.kind === 'words' ? [`    ${quoted(name)} = ${list(operand.words)}`] : []
  return [
    ...behind,
    ...options.flatMap(({ names, values }) =>
      values?.kind === 'words' ? names.map((each) => `    ${quoted(`${name} ${each}`)} = ${list(values.words)}`) : [],
    ),
  ]
}

function list(words: readonly string[]): string {
  return `@(${words.map(quoted).join(', ')})`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
