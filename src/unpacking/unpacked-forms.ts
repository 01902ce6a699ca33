// All forms that a packed network may be unpacked to. A new one is a file of its own, a row here and its name in
// options/choices.ts.
import type { UnpackedFormName } from '../options/choices.js'
import { cForm } from './c-form.js'
import { denseForm } from './dense-form.js'
import { matmulnbitsForm } from './matmulnbits-form.js'
import { npzForm } from './npz-form.js'
import { packedForm } from './packed-form.js'
import { safetensorsForm } from './safetensors-form.js'
import type { UnpackedForm } from './unpacked-form.js'

export const FORMS: Readonly<Record<UnpackedFormName, UnpackedForm>> = {
  dense: denseForm,
  packed: packedForm,
  matmulnbits: matmulnbitsForm,
  c: cForm,
  npz: npzForm,
  safetensors: safetensorsForm,
}
