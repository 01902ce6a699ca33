// The network with all its values, as any runtime opens it.
import { writeModel } from '../onnx/write-model.js'
import type { UnpackedForm } from './unpacked-form.js'

export const denseForm: UnpackedForm = {
  extension: '.onnx',
  what: 'plain ONNX',
  write: ({ model }) => writeModel(model),
}
