// Which library is called, and how: the launcher's own, by the handles that it has.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Foreign } from '../../src/mpi/foreign.js'
import { launchOf } from '../../src/mpi/launcher.js'
import { MpiLibrary } from '../../src/mpi/mpi-library.js'
import { libraryNames, openMpiLibrary } from '../../src/mpi/open-mpi-library.js'
import { arrangeStandIn, standIn, type StandIn } from './stand-in.js'

const launch = (isOpenMpi: boolean) => ({ rank: 0, size: 2, variable: 'PMI_SIZE', isOpenMpi })

// Libraries by their files' names; what is not among them is not there.
function installed(libraries: Readonly<Record<string, Partial<StandIn>>>): Foreign & { tried: string[] } {
  const tried: string[] = []
  return {
    tried,
    load: (path) => {
      tried.push(path)
      const found = libraries[path]
      if (found === undefined) throw new Error(`${path}: cannot open shared object file`)
      return standIn(arrangeStandIn(1, found), 0).load(path)
    },
  }
}

describe('launchers', () => {
  for (const [what, env, expected] of [
    ['none', {}, undefined],
    ['Open MPI', { OMPI_COMM_WORLD_SIZE: '4', OMPI_COMM_WORLD_RANK: '3' }, { rank: 3, size: 4, isOpenMpi: true }],
    ['Hydra', { PMI_SIZE: '2', PMI_RANK: '0' }, { rank: 0, size: 2, isOpenMpi: false }],
    ['Slurm', { SLURM_STEP_NUM_TASKS: '2', PMIX_RANK: '1' }, { rank: 1, size: 2, isOpenMpi: undefined }],
    ['a job of Slurm without MPI', { SLURM_STEP_NUM_TASKS: '2', SLURM_PROCID: '1' }, undefined],
    ['one rank', { PMI_SIZE: '1', PMI_RANK: '0' }, undefined],
    ['nonsense', { PMI_SIZE: '2', PMI_RANK: 'x' }, undefined],
  ] as const)
    test(what, () => {
      const found = launchOf(env)
      const { rank, size, isOpenMpi } = found ?? {}
      assert.deepEqual(found && { rank, size, isOpenMpi }, expected)
    })
})

describe('libraries', () => {
  for (const scheme of ['MPI ABI', 'MPICH', 'Open MPI'] as const)
    test(`the handles of ${scheme} are known`, () => {
      const library = MpiLibrary.open(standIn(arrangeStandIn(2, { scheme }), 1), 'libmpi')
      assert.equal(library.scheme, scheme)
      assert.equal(library.init(), true)
      const made = library.duplicate()
      assert.deepEqual([made.rank, made.size], [1, 2])
      assert.notEqual(made.place.communicator, library.world.place.communicator)
    })

  test('the standard before all others', { skip: process.platform !== 'linux' }, () => {
    const foreign = installed({ 'libmpi_abi.so.1': {}, 'libmpi.so.12': { scheme: 'MPICH' } })
    assert.equal(openMpiLibrary(foreign, launch(false), undefined).path, 'libmpi_abi.so.1')
  })

  test("of several, the launcher's", { skip: process.platform !== 'linux' }, () => {
    const foreign = installed({ 'libmpi_abi.so.1': {}, 'libmpi.so': { scheme: 'Open MPI' } })
    assert.equal(openMpiLibrary(foreign, launch(true), undefined).path, 'libmpi.so')
    assert.deepEqual(foreign.tried.slice(-3), ['libmpi_abi.so.1', 'libmpi.so.40', 'libmpi.so'])
    assert.deepEqual(
      foreign.tried.slice(0, 3).map((path) => path.replace(/^.*\//, '')),
      foreign.tried.slice(-3),
    )
  })

  test("none of the launcher's kind", { skip: process.platform !== 'linux' }, () => {
    const foreign = installed({ 'libmpi.so': { scheme: 'Open MPI' } })
    const names = libraryNames(launch(false), 'linux').join(', ')
    assert.throws(() => openMpiLibrary(foreign, launch(false), undefined), {
      code: 'usage',
      message: `MPI: PMI_SIZE says 2 ranks, and none of ${names} could be loaded (libmpi.so is Open MPI v5.0)`,
      hint: 'Name the library with --mpi <path>, or run each process by itself with --mpi off.',
    })
  })

  test('of a launcher that serves both kinds, whichever there is', { skip: process.platform !== 'linux' }, () => {
    const any = { ...launch(false), isOpenMpi: undefined }
    assert.equal(openMpiLibrary(installed({ 'libmpi.so': { scheme: 'Open MPI' } }), any, undefined).path, 'libmpi.so')
    const both = installed({ 'libmpi.so.40': { scheme: 'Open MPI' }, 'libmpi.so.12': { scheme: 'MPICH' } })
    assert.equal(openMpiLibrary(both, any, undefined).path, 'libmpi.so.40')
  })

  test('one that is named, and is none', () => {
    assert.throws(() => openMpiLibrary(installed({}), launch(false), 'x.so'), {
      code: 'usage',
      message: '--mpi: x.so is no MPI library that can be loaded: x.so: cannot open shared object file',
    })
  })

  test('what the library refuses is an error with its name', () => {
    const foreign = standIn(arrangeStandIn(1), 0)
    const library = MpiLibrary.open(
      {
        load: (path) => ({
          ...foreign.load(path),
          func: (name) => (name === 'MPI_Comm_rank' ? () => 5 : foreign.load(path).func(name, '', [])),
        }),
      },
      'libmpi',
    )
    assert.throws(() => library.world, { message: 'MPI_Comm_rank: error 5 of libmpi' })
  })
})
