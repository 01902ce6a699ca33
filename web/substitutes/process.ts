// What the library's worker threads use of Node's `process`.

/** The last message of a worker. */
export const EXITED = 'ttq: exited'

export const process = {
  env: {} as Record<string, string | undefined>,
  exit(): void {
    const scope = globalThis as unknown as { postMessage: (message: unknown) => void; close: () => void }
    scope.postMessage(EXITED)
    scope.close()
  },
}
