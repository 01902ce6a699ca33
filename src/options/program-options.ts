// Options of how the program runs, whatever it does: its config file, several models, what it says meanwhile.
import { EXCHANGES, PROGRESS_FORMS } from './choices.js'
import type { Job, OptionRow } from './option.js'
import { REPORTING } from './result-options.js'

const group = 'Running:'
const ALL = [...REPORTING, 'unpack', 'predict', 'new', 'run'] as const satisfies Job[]
const MANY_RANKS = ['compress', 'train', 'sweep', 'evaluate'] as const satisfies Job[]

export const PROGRAM_OPTIONS = {
  config: {
    kind: { type: 'text', path: 'file' },
    jobs: ALL,
    only: 'command line',
    perCall: true,
    off: true,
    group,
    help: 'file of settings, docs/config.md (--no-config: none)',
    defaultText: 'ttq.config.json, .yaml, .mjs or .ts beside the model, else in the working directory',
  },
  printConfig: {
    kind: { type: 'flag' },
    jobs: ALL,
    only: 'command line',
    perCall: true,
    group,
    help: 'print the settings that hold, and where each comes from, and do nothing',
  },
  outDir: {
    kind: { type: 'text', path: 'folder' },
    jobs: ['compress', 'train', 'unpack'],
    only: 'command line',
    group,
    help: 'folder of the results, made if need be; with several models, where they all go',
    defaultText: 'the working directory',
  },
  mpi: {
    kind: { type: 'text', path: 'file', words: ['off'] },
    jobs: MANY_RANKS,
    only: 'command line',
    perCall: true,
    group,
    help: 'the MPI library of the mpirun that starts ttq, docs/cluster.md (off: each process works by itself)',
    defaultText: 'the one beside mpirun, or libmpi',
  },
  exchange: {
    kind: { type: 'choice', choices: EXCHANGES },
    jobs: ['compress', 'train'],
    only: 'command line',
    default: { base: 'ordered' },
    group,
    help: 'sums over the ranks of mpirun: ordered, as in one process, or fast, as the MPI library adds',
  },
  progress: {
    kind: { type: 'choice', choices: PROGRESS_FORMS },
    jobs: ALL,
    only: 'command line',
    perCall: true,
    default: { base: 'auto' },
    group,
    help: 'on stderr: bar (a line that is redrawn), plain lines, json (docs/pipelines.md); auto: a bar in a terminal',
  },
} as const satisfies Record<string, OptionRow>
