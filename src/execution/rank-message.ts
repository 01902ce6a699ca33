// What a single rank says to rank 0, or rank 0 to a single one, and how it is written: JSON in as many bytes for every
// message, so that who receives knows how many will come.
import { type CallFailure, revive } from './call-failure.js'

export type Message = { kind: 'failed'; failure: CallFailure } | { kind: 'end' } | { kind: 'done' }

/** Bytes of a message, the most; libraries send as little at once, whatever the other side does. */
export const MESSAGE_BYTES = 2048

/** What a failure of another rank is here. */
export function failureOfRank(rank: number, failure: CallFailure): Error {
  const isInterruption = failure.code === 'interrupted'
  return revive({ ...failure, message: isInterruption ? failure.message : `rank ${rank}: ${failure.message}` })
}

/** As bytes: one that is too long loses its stack first, then the end of its text. */
export function writeMessage(message: Message): Uint8Array {
  const bytes = Buffer.alloc(MESSAGE_BYTES)
  for (const form of [message, withoutStack(message), shortened(message, 1000), shortened(message, 200)]) {
    const text = Buffer.from(JSON.stringify(form))
    if (text.length >= MESSAGE_BYTES) continue
    text.copy(bytes)
    return bytes
  }
  throw new Error('internal: a message between ranks that is too long')
}

function withoutStack(message: Message): Message {
  return message.kind === 'failed' ? { ...message, failure: { ...message.failure, stack: undefined } } : message
}

function shortened(message: Message, characters: number): Message {
  if (message.kind !== 'failed') return message
  const { code, message: text, hint } = message.failure
  return {
    kind: 'failed',
    failure: {
      code,
      message: text.slice(0, characters),
      hint: hint.slice(0, 1).map((way) => way.slice(0, characters / 2)),
      facts: {},
      stack: undefined,
    },
  }
}

export function readMessage(bytes: Uint8Array): Message {
  return JSON.parse(Buffer.from(bytes).toString('utf8').replace(/\0.*$/s, '')) as Message
}
