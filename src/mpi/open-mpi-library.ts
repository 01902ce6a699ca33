// Which MPI library the program calls: the one of the launcher that started it. It is looked for beside the launcher,
// then by name, or is the one that --mpi names.
import { readlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { TtqError } from '../errors/ttq-error.js'
import type { Foreign } from './foreign.js'
import type { Launch } from './launcher.js'
import { MpiLibrary } from './mpi-library.js'

/**
 * Libraries for fast networks write their own jumps into mmap and others, to know of memory that goes, while V8's
 * threads run through these: with UCX, as PyPI's MPICH 5.0 has it, one start in about 60 died of that on 2 cores, and
 * none of 250 without. What is lost is that memory stays known to the network card between two messages.
 */
const WITHOUT_HOOKS = { UCX_MEM_EVENTS: 'no', OMPI_MCA_memory: '^patcher' } as const

/** Names of libraries: the standard's ABI first, then those of each kind, then what may be either. */
const NAMES = {
  linux: {
    standard: ['libmpi_abi.so.1'],
    openMpi: ['libmpi.so.40'],
    // Debian's is called libmpich.
    mpich: ['libmpi.so.12', 'libmpich.so.12'],
    either: ['libmpi.so'],
  },
  darwin: {
    standard: ['libmpi_abi.dylib'],
    openMpi: ['libmpi.40.dylib'],
    mpich: ['libmpi.12.dylib'],
    either: ['libmpi.dylib'],
  },
  win32: { standard: [], openMpi: [], mpich: ['impi.dll'], either: [] },
} as const

/** The names to try on this system. */
export function libraryNames({ isOpenMpi }: Pick<Launch, 'isOpenMpi'>, platform: NodeJS.Platform): readonly string[] {
  const { standard, openMpi, mpich, either } = NAMES[platform === 'darwin' || platform === 'win32' ? platform : 'linux']
  return [...standard, ...(isOpenMpi === false ? [] : openMpi), ...(isOpenMpi === true ? [] : mpich), ...either]
}

/**
 * Opens the library that belongs to the launcher: of several that are installed, the processes of one launcher meet by
 * its own only.
 * @param given as --mpi names it
 * @throws TtqError `usage` where there is none
 */
export function openMpiLibrary(foreign: Foreign, launch: Launch, given: string | undefined): MpiLibrary {
  // Whoever has set one of them knows better.
  for (const [variable, value] of Object.entries(WITHOUT_HOOKS)) process.env[variable] ??= value
  if (given !== undefined) {
    try {
      return MpiLibrary.open(foreign, given)
    } catch (cause) {
      throw new TtqError('usage', `--mpi: ${given} is no MPI library that can be loaded: ${(cause as Error).message}`, {
        hint: 'Name the libmpi of the mpirun that starts ttq.',
        cause,
      })
    }
  }
  const names = libraryNames(launch, process.platform)
  const folders = [parentFolder(), ''].filter((folder) => folder !== undefined)
  const refused: string[] = []
  for (const path of folders.flatMap((folder) => names.map((name) => join(folder, name)))) {
    try {
      const library = MpiLibrary.open(foreign, path)
      if (launch.isOpenMpi === undefined || isOpenMpi(library) === launch.isOpenMpi) return library
      refused.push(`${path} is ${library.version}`)
    } catch {
      // The next one.
    }
  }
  throw new TtqError(
    'usage',
    `MPI: ${launch.variable} says ${launch.size} ranks, and none of ` +
      `${names.map((name) => basename(name)).join(', ')} could be ` +
      `loaded${refused.length === 0 ? '' : ` (${refused.join('; ')})`}`,
    { hint: 'Name the library with --mpi <path>, or run each process by itself with --mpi off.' },
  )
}

function isOpenMpi({ version }: MpiLibrary): boolean {
  return version.startsWith('Open MPI')
}

// Where the libraries of the process lie that started this one; undefined where the system does not say.
function parentFolder(): string | undefined {
  try {
    return join(dirname(readlinkSync(`/proc/${process.ppid}/exe`)), '..', 'lib')
  } catch {
    return undefined
  }
}
