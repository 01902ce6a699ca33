// What the environment says of the program's ranks: mpirun, mpiexec and srun start a program several times and tell
// each process which of them it is. Nothing of MPI is loaded to know that.

/** One of several processes of the same program. */
export interface Launch {
  /** 0..size-1. */
  rank: number
  size: number
  /** The variable that says so, for messages. */
  variable: string
  /** Whether an Open MPI started it, whose processes meet no others; undefined where that is not said. */
  isOpenMpi: boolean | undefined
}

type Env = Readonly<Record<string, string | undefined>>

/** Where launchers say it: the first that speaks counts. */
const LAUNCHERS: readonly { size: string; rank: string; isOpenMpi?: boolean }[] = [
  { size: 'OMPI_COMM_WORLD_SIZE', rank: 'OMPI_COMM_WORLD_RANK', isOpenMpi: true },
  // Hydra, which MPICH, Intel MPI and others have, and Slurm's pmi2.
  { size: 'PMI_SIZE', rank: 'PMI_RANK', isOpenMpi: false },
  // Slurm's pmix, for libraries of either kind.
  { size: 'SLURM_STEP_NUM_TASKS', rank: 'PMIX_RANK' },
]

/** undefined where the program runs once, or the numbers are none. */
export function launchOf(env: Env): Launch | undefined {
  const found = LAUNCHERS.find(({ size, rank }) => env[size] !== undefined && env[rank] !== undefined)
  if (found === undefined) return undefined
  const [rank, size] = [Number(env[found.rank]), Number(env[found.size])]
  if (!Number.isInteger(rank) || !Number.isInteger(size) || rank < 0 || rank >= size || size === 1) return undefined
  return { rank, size, variable: found.size, isOpenMpi: found.isOpenMpi }
}
