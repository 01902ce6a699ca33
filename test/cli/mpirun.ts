// The launchers of MPI on this machine, and the program under one of them.
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { PROGRAM } from './run-program.js'

export interface Launcher {
  path: string
  /** What it says of itself. */
  name: string
  args: readonly string[]
}

/** MPIRUN names some, separated by colons; else those that Debian's packages have. */
const NAMES = process.env['MPIRUN']?.split(':') ?? ['mpirun.mpich', 'mpirun.openmpi', 'mpirun']

/** One of each kind. */
export function launchers(): Launcher[] {
  if (process.platform === 'win32') return []
  const found = NAMES.flatMap((path): Launcher[] => {
    const { status, stdout, stderr } = spawnSync(path, ['--version'], { encoding: 'utf8' })
    if (status !== 0) return []
    const isOpenMpi = /open ?mpi|openrte|prrte/i.test(stdout + stderr)
    return [
      isOpenMpi
        ? { path, name: 'Open MPI', args: ['--allow-run-as-root', '--oversubscribe', '--bind-to', 'none'] }
        : { path, name: 'MPICH', args: [] },
    ]
  })
  return found.filter(
    ({ name }, i) => process.env['MPIRUN'] !== undefined || found.findIndex((other) => other.name === name) === i,
  )
}

/** Starts the program on so many ranks: the same everywhere, or for each its own words. */
export function startRanks(
  { path, args }: Launcher,
  folder: string,
  words: readonly string[] | readonly (readonly string[])[],
  ranks = 2,
): ChildProcessWithoutNullStreams {
  const program = [process.execPath, PROGRAM]
  const each = typeof words[0] === 'string' ? undefined : (words as readonly (readonly string[])[])
  const line =
    each === undefined
      ? ['-n', String(ranks), ...program, ...(words as readonly string[])]
      : each.flatMap((own, i) => [...(i === 0 ? [] : [':']), '-n', '1', ...program, ...own])
  return spawn(path, [...args, ...line], {
    cwd: folder,
    env: { ...process.env, CI: '', NO_COLOR: '1', GITHUB_STEP_SUMMARY: '' },
  })
}
