// The thread that decodes and frames pictures: file in, pixels out. One message per picture.
import { parentPort } from 'node:worker_threads'
import { decodeByWasm, decodePicture, type Decoder, decoderBySharp } from './decode-picture.js'
import type { Picture } from './picture.js'
import { frame, type Framing } from './framing.js'
import { PictureFault } from './picture-header.js'

export interface PictureRequest {
  id: number
  source: Uint8Array | Picture
  framing: Framing
  channels: 1 | 3
}

/** What came out; `fault` is what is wrong with the picture, in words behind its name. */
export type PictureReply = { id: number } & ({ picture: Picture } | { fault: string })

let chosen: Promise<Decoder> | undefined

async function answer({ id, source, framing, channels }: PictureRequest): Promise<PictureReply> {
  try {
    chosen ??= decoderBySharp().then((found) => found ?? decodeByWasm)
    const picture = 'pixels' in source ? source : await decodePicture(source, await chosen)
    return { id, picture: planar(frame(picture, framing, channels)) }
  } catch (cause) {
    if (cause instanceof PictureFault) return { id, fault: cause.message }
    throw cause
  }
}

// One channel behind the other, as stored images lie; always in a buffer of its own, which can be handed over.
function planar({ width, height, channels, pixels }: Picture): Picture {
  const area = width * height
  const planes = new Uint8Array(area * channels)
  for (let channel = 0; channel < channels; channel++)
    for (let i = 0; i < area; i++) planes[channel * area + i] = pixels[i * channels + channel] as number
  return { width, height, channels, pixels: planes }
}

parentPort?.on('message', (request: PictureRequest) => {
  void answer(request).then((reply) => {
    parentPort?.postMessage(reply, 'picture' in reply ? [reply.picture.pixels.buffer as ArrayBuffer] : [])
  })
})
