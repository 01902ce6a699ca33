// Ranks that do one job must do the same one: what it depends on is compared before any long work.
import { TtqError } from '../errors/ttq-error.js'
import type { Ranks } from '../execution/ranks.js'
import type { NameOptions } from '../options/option-table.js'
import { differences, type Fingerprint, partName, shown } from './fingerprint.js'

/**
 * Compares what each rank's work depends on; all of them hear the same.
 * @throws TtqError `usage` with what differs
 */
export async function agree(
  ranks: Pick<Ranks, 'gather'>,
  fingerprint: Fingerprint,
  nameOptions: NameOptions,
): Promise<void> {
  const [first, ...others] = (await ranks.gather('agreement', fingerprint)) as [Fingerprint, ...Fingerprint[]]
  const other = others.findIndex((each) => differences(first, each).length > 0)
  if (other < 0) return
  const found = others[other] as Fingerprint
  const parts = differences(first, found).map(
    (key) =>
      `${partName(key, nameOptions)} ${shown(first[key])} on rank 0 and ${shown(found[key])} on rank ${other + 1}`,
  )
  throw new TtqError('usage', `ranks: found ${parts.join('; ')}, expected the same on all`, {
    hint: 'start all of them with the same command, the same files and the same version of ttq',
    facts: { rank: other + 1, different: differences(first, found) },
  })
}
