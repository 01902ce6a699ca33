// The thread that decodes and frames pictures: file in, pixels out. One message per picture.
import { parentPort } from 'node:worker_threads'
import { decodeByWasm, decodePicture, type Decoder, decoderBySharp } from './decode-picture.js'
import { type Picture, planesOf } from './picture.js'
import { resumeRandomSource } from './random.js'
import { cutOut, randomRegion } from './random-region.js'
import { frame, type Framing } from './framing.js'
import { PictureFault } from './picture-header.js'

export interface PictureRequest {
  id: number
  source: Uint8Array | Picture
  framing: Framing
  channels: 1 | 3
  region?: RandomPart | undefined
}

/** A random part in the place of the whole picture. */
export interface RandomPart {
  /** The smallest share of its area. */
  least: number
  /** State of the random source to draw from. */
  state: readonly number[]
}

/** What came out; `fault` is what is wrong with the picture, in words behind its name. */
export type PictureReply = { id: number } & ({ picture: Picture } | { fault: string })

let chosen: Promise<Decoder> | undefined

async function answer({ id, source, framing, channels, region }: PictureRequest): Promise<PictureReply> {
  try {
    chosen ??= decoderBySharp().then((found) => found ?? decodeByWasm)
    const picture = 'pixels' in source ? source : await decodePicture(source, await chosen)
    const framed = frame(region === undefined ? picture : part(picture, region), framing, channels)
    // In a buffer of its own, which can be handed over.
    return { id, picture: { ...framed, pixels: planesOf(framed) } }
  } catch (cause) {
    if (cause instanceof PictureFault) return { id, fault: cause.message }
    throw cause
  }
}

function part(picture: Picture, { least, state }: RandomPart): Picture {
  return cutOut(picture, randomRegion(picture, least, resumeRandomSource(state)))
}

parentPort?.on('message', (request: PictureRequest) => {
  void answer(request).then((reply) => {
    parentPort?.postMessage(reply, 'picture' in reply ? [reply.picture.pixels.buffer as ArrayBuffer] : [])
  })
})
