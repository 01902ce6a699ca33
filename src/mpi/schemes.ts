// How MPI libraries name their communicators, types and operations: there are three ways, and a program that is not
// compiled against one library has to know them. All values are those of the libraries' own header files.
import type { ForeignLibrary } from './foreign.js'

/** A handle as it is passed: an integer, or an address. */
export type Handle = number | bigint

export interface Scheme {
  /** The C type of handles. */
  type: 'int' | 'intptr_t'
  world: Handle
  byte: Handle
  float: Handle
  sum: Handle
  /** MPI_THREAD_SERIALIZED: any thread calls, one at a time. */
  serialized: number
}

export type SchemeName = 'MPI ABI' | 'MPICH' | 'Open MPI'

/** Each from the library at hand. */
export const SCHEMES: Readonly<Record<SchemeName, (library: ForeignLibrary) => Scheme>> = {
  // The standard's own since MPI 5.0 (chapter "Application Binary Interface"); the library is called libmpi_abi.
  'MPI ABI': () => ({ type: 'intptr_t', world: 0x101, byte: 0x247, float: 0x210, sum: 0x21, serialized: 2048 }),
  // MPICH's, which Intel MPI, MVAPICH and HPE's share.
  MPICH: () => ({
    type: 'int',
    world: 0x44000000,
    byte: 0x4c00010d,
    float: 0x4c00040a,
    sum: 0x58000003,
    serialized: 2,
  }),
  // Addresses of the library's own variables.
  'Open MPI': (library) => {
    const address = (name: string): Handle => library.symbol(name) as bigint
    return {
      type: 'intptr_t',
      world: address('ompi_mpi_comm_world'),
      byte: address('ompi_mpi_byte'),
      float: address('ompi_mpi_float'),
      sum: address('ompi_mpi_op_sum'),
      serialized: 2,
    }
  },
}

/** Which of them a library has. @throws whatever a missing function throws: then it is no MPI library */
export function schemeOf(library: ForeignLibrary): SchemeName {
  if (saysStandard(library)) return 'MPI ABI'
  try {
    library.symbol('ompi_mpi_comm_world')
    return 'Open MPI'
  } catch {
    return 'MPICH'
  }
}

// MPI_Abi_get_version gives -1 where a library knows the question and has handles of its own.
function saysStandard(library: ForeignLibrary): boolean {
  try {
    const [major, minor] = [new Int32Array(1), new Int32Array(1)]
    library.func('MPI_Abi_get_version', 'int', ['void *', 'void *'])(major, minor)
    return (major[0] as number) >= 1
  } catch {
    return false
  }
}
