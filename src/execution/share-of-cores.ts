// How many threads a rank has where nobody says: ranks on one machine share its cores.
import { readFileSync } from 'node:fs'
import { availableParallelism, hostname } from 'node:os'

interface Cores {
  /** Machine and cores that a process may use: those of others with the same are the same cores. */
  where: string
  count: number
}

/** Those of this process. Launchers bind processes to cores, each to its own or several to the same ones. */
export function ownCores(): Cores {
  return { where: `${hostname()} ${allowedCores()}`, count: availableParallelism() }
}

/** @returns the same for every rank, because the shares of a batch are as large: what the poorest has */
export function shareOfCores(ranks: readonly Cores[]): number {
  const shares = ranks.map(({ where, count }) => {
    const sharing = ranks.filter((other) => other.where === where).length
    return Math.max(1, Math.floor(count / sharing))
  })
  return Math.min(...shares)
}

function allowedCores(): string {
  try {
    return /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? ''
  } catch {
    return ''
  }
}
