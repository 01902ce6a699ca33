// What yargs gives, as one module: the build puts the package and what it needs into this file, because reading its
// forty files takes a third of the time in which `ttq --help` answers.
import yargs from 'yargs'

export type { Argv } from 'yargs'
export default yargs
