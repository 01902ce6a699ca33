// ttq-onnx/runtime as the build makes it: tests are of that one file.
import type * as Runtime from '../../src/standalone/index.js'

// Typed string, not a literal: the type check runs before there is a build.
const NAME: string = 'ttq-onnx/runtime'

export const runtime = (await import(NAME)) as typeof Runtime
