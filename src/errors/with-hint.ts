// A message and what to do about it, as sentences one behind the other.

/** @param hint a sentence as TtqError has it: without a capital and a full stop */
export function withHint(message: string, hint: string | undefined): string {
  return hint === undefined ? message : `${stopped(message)} ${sentence(hint)}`
}

/** With a full stop, where others' words do not end in one already. */
export function stopped(message: string): string {
  return /[.?!]$/.test(message) ? message : `${message}.`
}

// A capital first, unless it begins with a command, an option or a path, and a full stop.
function sentence(hint: string): string {
  const begun =
    hint.startsWith('ttq ') || /^\S*[/.]\S/.test(hint) ? hint : `${hint.charAt(0).toUpperCase()}${hint.slice(1)}`
  return stopped(begun)
}
