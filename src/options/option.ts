// What an option is: one row of the option table, as plain data, and the type of its values.
import type { RecipeName } from './choices.js'

/** Either bound may be absent. */
export interface NumberRange {
  readonly from?: number
  readonly above?: number
  readonly to?: number
  readonly below?: number
  readonly whole?: true
}

/** What values an option takes. */
export type Kind =
  | { readonly type: 'number'; readonly range: NumberRange }
  /** At least one, separated by commas on the command line. */
  | { readonly type: 'numbers'; readonly range: NumberRange }
  | {
      readonly type: 'choice'
      readonly choices: readonly (string | number)[]
      /** What other programs call them: for suggestions. */
      readonly elsewhere?: Readonly<Record<string, string>>
    }
  /** Any number of them; the option may be given several times, and commas separate too. */
  | { readonly type: 'choices'; readonly choices: readonly string[] }
  | { readonly type: 'flag' }
  /** Bytes as a number or with a unit, or a share of the original's as `16x`. */
  | { readonly type: 'size' }
  /**
   * Text that is not empty; where it names what lies on the disk, `path` says what, and `words` what else it may be.
   */
  | { readonly type: 'text'; readonly path?: PathKind; readonly words?: readonly string[] }
  /** Any number of texts; the option may be given several times, and commas separate too. */
  | { readonly type: 'texts' }
  /** Any number of files; the option may be given several times. `words`: what else it may be. */
  | { readonly type: 'paths'; readonly words?: readonly string[] }
  /** Any number of networks that callers hold in memory, or `words` for those that the job has itself. */
  | { readonly type: 'networks'; readonly words: readonly string[] }

/** `dataset`: the name of a known one, `kind:path` or a path. */
export type PathKind = 'file' | 'folder' | 'dataset'

/** A network as a file holds it. */
export interface NetworkFile {
  /** How messages and reports call it. */
  readonly name: string
  readonly bytes: Uint8Array
  /** Bytes of its external data files. */
  readonly externalData?: ((location: string, offset?: number, length?: number) => Uint8Array) | undefined
}

/** The type of an option's value. */
export type ValueOf<K extends Kind> = K extends { type: 'number' }
  ? number
  : K extends { type: 'numbers' }
    ? readonly number[]
    : K extends { type: 'choice'; choices: readonly (infer C)[] }
      ? C
      : K extends { type: 'choices'; choices: readonly (infer C)[] }
        ? readonly C[]
        : K extends { type: 'flag' }
          ? boolean
          : K extends { type: 'text' }
            ? string
            : K extends { type: 'size' }
              ? number | string
              : K extends { type: 'networks'; words: readonly (infer W)[] }
                ? readonly (W | Uint8Array | NetworkFile)[]
                : readonly string[]

export type OptimizerName = 'sgd' | 'adam'

/** What a job does by itself; a value that depends on the optimizer has one for each that it is known for. */
export type Default =
  number | string | boolean | readonly number[] | readonly string[] | Readonly<Partial<Record<OptimizerName, number>>>

/** The jobs that have defaults of their own: `base` stands for every other one. */
export type Way = 'base' | 'fromScratch' | Exclude<RecipeName, 'default'> | 'train'

/** The jobs of the library and the commands of the program. */
export type Job =
  | 'compress'
  | 'train'
  | 'sweep'
  | 'analyze'
  | 'evaluate'
  | 'unpack'
  | 'inspect'
  | 'data'
  | 'predict'
  | 'verify'
  | 'diff'
  | 'new'
  | 'doctor'
  | 'run'
  | 'init'
  | 'report'
  | 'compare'

/** How a job's help shows an option. */
export interface OptionHelp {
  /** Heading. */
  readonly group: string
  /** One line. */
  readonly help: string
  /** What stands in the place of the default; absent: the default itself, where there is one. */
  readonly defaultText?: string
}

export interface OptionRow extends OptionHelp {
  readonly kind: Kind
  readonly jobs: readonly Job[]
  /** What holds where nothing is said. Without `base`, the option may be left out. */
  readonly default?: Readonly<Partial<Record<Way, Default>>>
  /** Where a job's help differs. */
  readonly at?: Readonly<Partial<Record<Job, Partial<OptionHelp>>>>
  /** Letter that the command line takes for it. */
  readonly alias?: string
  /** Who has it; absent: the command line and the library. */
  readonly only?: 'command line' | 'library'
  /** Of an option of the library: the one that says it on the command line, in another form. */
  readonly flag?: string
  /** It is about one call of the program, and no setting: no config file has it. */
  readonly perCall?: true
  /** A text that --no-<name> says is not wanted. */
  readonly off?: true
  /** Jobs that do not run without it. */
  readonly required?: readonly Job[]
  /** It means nothing where nothing is trained or measured: compress refuses it without a dataset. */
  readonly needsData?: true
  /** It stands in the settings that a report says of a training, or of one to ternary weights only. */
  readonly setting?: 'training' | 'ternary'
  /**
   * `covered`: no part of a checkpoint's fingerprint, because other parts say more of it, or because it is about the
   * file that is written at the end. `against divergence`: part of
   * it, and one of those that may and must differ where a training that has diverged is resumed. `idle`: it decides
   * nothing of a result that there is, being a limit or a check.
   */
  readonly fingerprint?: 'covered' | 'against divergence' | 'idle'
}
