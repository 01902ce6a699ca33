// What a report says of where and how its command ran.
import type { RunReport } from '../jobs/run-report.js'
import type { Arguments } from './command.js'

/** Call it when the work is done. */
export async function describeRun({ words }: Pick<Arguments, 'words'>): Promise<RunReport> {
  const { describeMachine } = await import('../runtime/describe-machine.js')
  return {
    command: ['ttq', ...words].map(quoted).join(' '),
    date: new Date().toISOString(),
    ...describeMachine(),
  }
}

// A word as a POSIX shell takes it.
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
