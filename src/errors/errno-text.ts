// What the system says of a file, in the words of this program's messages.

/** Code of what is there and neither a regular file nor a folder: reading it may never end. */
export const NO_FILE = 'ENOTREG'

const FOUND: Readonly<Record<string, string>> = {
  ENOENT: 'found no such file',
  ENOTDIR: 'found no such file',
  EISDIR: 'found a folder',
  EACCES: 'found no permission to read it',
  EPERM: 'found no permission to read it',
  ELOOP: 'found a link that leads to itself',
  [NO_FILE]: 'found a device, a socket or a pipe',
  ERR_FS_FILE_TOO_LARGE: 'found more than 2 GB',
}

/** Why a file could not be read: `found a folder`; the system's own words where there are none of ours. */
export function readFault(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException
  return FOUND[code ?? ''] ?? message
}
