import { asCarrelError, CarrelError } from '../errors.ts'

const TOO_MANY_FILES = 'Too many files are open. Raise the limit (`ulimit -n`), then try again.'

const TROUBLE: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full. Free some space or choose another folder, then try again.',
  EDQUOT: 'The disk quota is used up. Free some space or choose another folder, then try again.',
  EROFS: 'The disk is read-only. Choose another folder.',
  EACCES: 'Carrel lacks permission to read or write there. Grant access or choose another folder.',
  EPERM: 'Carrel lacks permission to read or write there. Grant access or choose another folder.',
  EIO: 'The disk reports an error. Check the disk, then try again.',
  ELOOP: 'A link there leads back to itself. Correct the link, then try again.',
  EISDIR: 'A folder is in the place of a file. Move the folder away, then try again.',
  EMFILE: TOO_MANY_FILES,
  ENFILE: TOO_MANY_FILES,
}

/** Converts a file system error to one that says what to do. `what`: the sentence that begins its message. */
export function fileTrouble(what: string, thrown: unknown): CarrelError {
  if (thrown instanceof CarrelError) return thrown
  const { code } = (thrown ?? {}) as { code?: unknown }
  const trouble = typeof code === 'string' ? TROUBLE[code] : undefined
  if (trouble === undefined) return asCarrelError(thrown)
  return new CarrelError('unavailable', `${what} ${trouble}`, { code }, thrown)
}
