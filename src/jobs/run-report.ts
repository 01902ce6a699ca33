// Where and how a command ran, in its report: added by the command line, which alone knows.
import type { MachineFacts } from '../runtime/describe-machine.js'

export interface RunReport extends MachineFacts {
  /** To run it again: words as a POSIX shell takes them. */
  command: string
  /** When it was done, ISO 8601 in UTC. */
  date: string
}
