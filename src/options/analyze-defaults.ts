// What analyze does where nothing is said. Kept apart so that a help text can show it without loading the program.
import { COMPRESS_DEFAULTS } from './compress-defaults.js'

/** Layers are chosen, fitted and re-normalised as compress does by default. */
export const ANALYZE_DEFAULTS = { ...COMPRESS_DEFAULTS, samples: 1024 } as const
