// What a packed network may be unpacked to. The list of forms is unpacked-forms.ts.
import type { PackedModel } from '../packed/packed-model.js'

export interface UnpackedForm {
  /** Ending of the file. */
  readonly extension: string
  /** What the file is, in a few words. */
  readonly what: string
  /**
   * The file. Equal networks give equal bytes.
   * @throws TtqError `unsupported` for a network that has no such form
   */
  readonly write: (packed: Required<PackedModel>) => Uint8Array
}
