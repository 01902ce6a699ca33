// What the environment asks of the program's texts: colours or none, annotations and a summary page in a pipeline.
import { appendFileSync } from 'node:fs'
import { printableLines } from '../errors/printable.js'

/** Whether a variable is set to something. */
export function isSet(env: NodeJS.ProcessEnv, variable: string): boolean {
  return (env[variable] ?? '') !== ''
}

/** FORCE_COLOR goes before NO_COLOR, as in Node; without either, terminals that are not dumb have colours. */
export function usesColor(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  if (isSet(env, 'FORCE_COLOR')) return env['FORCE_COLOR'] !== '0' && env['FORCE_COLOR'] !== 'false'
  return stream.isTTY === true && !isSet(env, 'NO_COLOR') && !isSet(env, 'CI') && env['TERM'] !== 'dumb'
}

/** The words that lines begin with, their colours in a terminal, and what GitHub calls them. */
const BEGINNINGS = [
  { word: 'ttq:', color: 31, level: 'error' },
  { word: 'warning:', color: 33, level: 'warning' },
] as const

/** The first word of errors and warnings in colour. */
export function withColor(line: string): string {
  const found = BEGINNINGS.find(({ word }) => line.startsWith(word))
  return found === undefined ? line : `\x1b[${found.color}m${found.word}\x1b[39m${line.slice(found.word.length)}`
}

/**
 * An error or a warning as GitHub shows it on the page of a run; undefined elsewhere and for other lines.
 * @see https://docs.github.com/actions/reference/workflow-commands-for-github-actions
 */
export function asAnnotation(line: string, env: NodeJS.ProcessEnv): string | undefined {
  const found = BEGINNINGS.find(({ word }) => line.startsWith(word))
  if (found === undefined || env['GITHUB_ACTIONS'] !== 'true') return undefined
  const message = line.slice(found.word.length).trim()
  return `::${found.level} title=ttq::${message.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')}`
}

/** Text as it stands, in Markdown. */
export function asCode(text: string): string {
  return `\`\`\`\n${printableLines(text).trimEnd()}\n\`\`\`\n`
}

/** Appends to the page that GITHUB_STEP_SUMMARY names, where there is one; a page that cannot be written is told. */
export function appendSummary(
  title: string,
  markdown: string,
  { env, complain }: { env: NodeJS.ProcessEnv; complain: (line: string) => void },
): void {
  if (!isSet(env, 'GITHUB_STEP_SUMMARY')) return
  try {
    appendFileSync(env['GITHUB_STEP_SUMMARY'] as string, `### ${title}\n\n${markdown}\n`)
  } catch (error) {
    complain(`warning: GITHUB_STEP_SUMMARY: ${(error as Error).message}`)
  }
}
