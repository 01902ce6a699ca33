// Protobuf messages as runs of fields, whose bytes stay where they are: enough to exchange single ones. What ONNX's
// fields mean is onnx-layout.ts. https://protobuf.dev/programming-guides/encoding/

export interface Field {
  readonly number: number
  /** 0 a number, 2 a string, bytes, a message or packed numbers; 1 and 5 take 8 and 4 bytes. */
  readonly wire: number
  /** Where its tag starts, its content starts, and it ends. */
  readonly start: number
  readonly content: number
  readonly end: number
}

/** The fields of the message between two places. @throws RangeError where they are none */
export function fieldsOf(bytes: Uint8Array, start: number, end: number): Field[] {
  const fields: Field[] = []
  for (let at = start; at < end;) {
    const [tag, afterTag] = readVarint(bytes, at, end)
    const wire = tag % 8
    const [value, afterValue] = wire === 0 || wire === 2 ? readVarint(bytes, afterTag, end) : [0, afterTag]
    const content = wire === 2 ? afterValue : afterTag
    const last = wire === 0 ? afterValue : content + (wire === 2 ? value : wire === 1 ? 8 : wire === 5 ? 4 : Infinity)
    if (last > end) throw new RangeError('a field reaches beyond its end')
    fields.push({ number: Math.floor(tag / 8), wire, start: at, content, end: last })
    at = last
  }
  return fields
}

/** A number and where it ends; exact up to 2^53. @throws RangeError where it does not end */
export function readVarint(bytes: Uint8Array, start: number, end: number): [value: number, end: number] {
  let value = 0
  for (let at = start, factor = 1; at < end && at < start + 10; at++, factor *= 128) {
    const byte = bytes[at] as number
    value += (byte & 127) * factor
    if (byte < 128) return [value, at + 1]
  }
  throw new RangeError('a number does not end')
}

/** @param value below 2^53 */
export function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]
}

/** What stands before content of this many bytes: the tag of a field with a length, and the length. */
export function fieldStart(number: number, length: number): number[] {
  return [...varint(8 * number + 2), ...varint(length)]
}
