// TensorFlow.js as this engine sees it: a module that is found at run time (packages.ts), and so is known here by its
// types alone.
import type { Tensor } from '@tensorflow/tfjs'

/** The module. @tensorflow/tfjs-node has all that @tensorflow/tfjs has. */
export type TensorFlow = typeof import('@tensorflow/tfjs')

/** A tensor of TensorFlow.js, where `Tensor` is this program's own. */
export type DeviceTensor = Tensor
