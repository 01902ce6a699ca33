// ttq-onnx/kernels as the build makes it: tests are of that file and the one that it imports.
import type * as Kernels from '../../src/kernels/index.js'

// Typed string, not a literal: the type check runs before there is a build.
const NAME: string = 'ttq-onnx/kernels'

export const kernels = (await import(NAME)) as typeof Kernels
