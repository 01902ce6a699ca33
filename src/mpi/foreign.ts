// The package that calls functions of a C library, koffi, as far as it is used. It is optional: it is loaded where
// several ranks run, and asked for where it is missing.
import { TtqError } from '../errors/ttq-error.js'

export type ForeignFunction = (...args: unknown[]) => unknown

export interface ForeignLibrary {
  /** @throws Error where there is no such function */
  func(name: string, result: string, args: readonly string[]): ForeignFunction
  /** The address of a variable. @throws Error where there is none */
  symbol(name: string): unknown
}

export interface Foreign {
  /** @throws Error for a file that is not there, or is no library */
  load(path: string): ForeignLibrary
}

/** @throws TtqError `usage` where the package is not installed */
export async function loadForeign(): Promise<Foreign> {
  try {
    return (await import('koffi')).default
  } catch (cause) {
    throw new TtqError('usage', `MPI: the package koffi could not be loaded: ${(cause as Error).message}`, {
      hint:
        'install it beside ttq-onnx, it calls the MPI library: npm install koffi@3; --mpi off lets each process ' +
        'work by itself',
      cause,
    })
  }
}
