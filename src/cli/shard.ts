// --shard: which part of a sweep this process computes, as the user says it or as its scheduler numbers its tasks.
import { TtqError } from '../errors/ttq-error.js'
import { checkShard, type Shard } from '../options/sweep-values.js'
import type { Arguments } from './command.js'
import { textOption } from './command-options.js'

export interface GivenShard extends Shard {
  /** Where the number is from, as a message says it; undefined where the user said it. */
  from: string | undefined
}

type Env = Readonly<NodeJS.ProcessEnv>

/** How a scheduler numbers the tasks of an array. */
interface Numbering {
  /** The variable with the task's number, */
  variable: string
  /** the first number where the whole array is `count` tasks, */
  first: number
  /** and what else is known of the array; undefined where nothing is. @throws TtqError where it has gaps */
  array?: (env: Env) => Shard | undefined
}

const NUMBERINGS: readonly Numbering[] = [
  { variable: 'SLURM_ARRAY_TASK_ID', first: 1, array: slurmArray },
  {
    variable: 'AWS_BATCH_JOB_ARRAY_INDEX',
    first: 0,
    array: (env) => {
      const count = numberIn(env, 'AWS_BATCH_JOB_ARRAY_SIZE')
      return count === undefined ? undefined : { index: (numberIn(env, 'AWS_BATCH_JOB_ARRAY_INDEX') ?? 0) + 1, count }
    },
  },
  { variable: 'JOB_COMPLETION_INDEX', first: 0 },
]

// Slurm's arrays begin and step as they like; what it says of them is enough unless some numbers are left out.
function slurmArray(env: Env): Shard | undefined {
  const [id = 0, first, last, count, step = 1] = ['ID', 'MIN', 'MAX', 'COUNT', 'STEP'].map((name) =>
    numberIn(env, `SLURM_ARRAY_TASK_${name}`),
  )
  if (first === undefined || count === undefined) return undefined
  const index = (id - first) / step + 1
  const isWhole = Number.isInteger(index) && (last === undefined || last === first + (count - 1) * step)
  if (isWhole) return { index, count }
  throw new TtqError('usage', `--shard: found auto in a Slurm array of ${count} tasks from ${first} to ${last}`, {
    hint: 'Submit all of it (sbatch -a 1-4), or say how many parts there are (--shard auto/4).',
  })
}

/** @throws TtqError `usage` for one that is none, or that the environment does not tell */
export function givenShard(args: Arguments, env: Env = process.env): GivenShard | undefined {
  const given = textOption(args, 'shard')
  if (given === undefined) return undefined
  const [, place = '', parts] = /^(auto|\d+)(?:\/(\d+))?$/.exec(given) ?? []
  if (place === '' || (place !== 'auto' && parts === undefined))
    throw new TtqError('usage', `--shard: found "${given}", expected 2/4 (the second of four), auto or auto/4`)
  const count = parts === undefined ? undefined : Number(parts)
  const shard = place === 'auto' ? shardIn(env, count) : { index: Number(place), count: count ?? 0, from: undefined }
  checkShard(shard, shard.from === undefined ? '--shard' : `--shard: ${shard.from}`)
  return shard
}

function shardIn(env: Env, count: number | undefined): GivenShard {
  const found = NUMBERINGS.find(({ variable }) => numberIn(env, variable) !== undefined)
  if (found === undefined)
    throw new TtqError(
      'usage',
      `--shard: found auto, and none of ${NUMBERINGS.map(({ variable }) => variable).join(', ')} in the environment`,
      { hint: 'Outside of an array of jobs, say which part it is: --shard 1/4.' },
    )
  const { variable, first, array } = found
  const number = numberIn(env, variable) ?? 0
  const from = `${variable} ${number}`
  if (count !== undefined) return { index: number - first + 1, count, from }
  const known = array?.(env)
  if (known !== undefined) return { ...known, from }
  throw new TtqError('usage', `--shard: found auto with ${from}, which does not say how many parts there are`, {
    hint: 'Say it: --shard auto/4.',
  })
}

function numberIn(env: Env, variable: string): number | undefined {
  const text = env[variable]
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}
