// Sizes of files as callers say them: bytes, or how many times smaller than the original.

/** What is expected, for messages. */
export const SIZES = 'bytes (50000, 50kB, 1.5MB) or a ratio of the original (16x)'

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
}

/** Whether a value is a size: a whole number of bytes, or text like `16x`. */
export function isSize(value: unknown): value is number | string {
  if (typeof value === 'string') return /^(\d+\.?\d*|\.\d+)x$/i.test(value) && parseFloat(value) > 0
  return Number.isSafeInteger(value) && (value as number) >= 1
}

/** @returns undefined for what is no size */
export function parseSize(text: string): number | string | undefined {
  const given = text.trim()
  if (isSize(given)) return given.toLowerCase()
  const [, digits, unit = ''] = /^(\d+\.?\d*|\.\d+)\s*([kmg]?i?b)?$/i.exec(given) ?? []
  const bytes = Math.floor(Number(digits) * (UNITS[unit.toLowerCase()] ?? NaN))
  return isSize(bytes) ? bytes : undefined
}

/** @param original bytes that a ratio is of */
export function sizeInBytes(size: number | string, original: number): number {
  return typeof size === 'number' ? size : Math.floor(original / parseFloat(size))
}
