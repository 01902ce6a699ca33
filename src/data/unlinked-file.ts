// A file that no folder shows: in the system's temporary folder (TMPDIR), gone with the program, whatever ends it.
import { randomUUID } from 'node:crypto'
import { closeSync, openSync, unlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export class UnlinkedFile {
  /** To read from and to write to. */
  readonly descriptor: number
  private readonly path: string
  private isOpen = true
  private isListed = false
  private readonly atExit = (): void => {
    this.close()
  }

  /** @param what it holds, in its name. @throws the system's errors */
  constructor(what: string) {
    this.path = join(tmpdir(), `ttq-${what}-${randomUUID()}`)
    this.descriptor = openSync(this.path, 'wx+', 0o600)
    try {
      unlinkSync(this.path)
    } catch {
      // Where a file that is open cannot be removed, it stays until the end.
      this.isListed = true
      process.once('exit', this.atExit)
    }
  }

  /** Gives its room back. */
  close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    closeSync(this.descriptor)
    if (!this.isListed) return
    process.off('exit', this.atExit)
    unlinkSync(this.path)
  }
}
