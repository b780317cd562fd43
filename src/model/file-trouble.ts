import { asCarrelError, CarrelError } from './errors.ts'

const TOO_MANY_FILES = 'Too many files are open. Raise the limit (`ulimit -n`), then try again.'

const TROUBLE: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full. Make room, or choose another place, and try again.',
  EDQUOT: 'The quota of this disk is used up. Make room, or choose another place, and try again.',
  EROFS: 'That disk is read-only. Choose another place.',
  EACCES: 'Carrel may not write there, or not read what it needs. Give access, or choose another place.',
  EPERM: 'Carrel may not write there, or not read what it needs. Give access, or choose another place.',
  EIO: 'The disk reports an error. Check the disk, then try again.',
  ELOOP: 'A link there leads back to itself. Correct the link, then try again.',
  EISDIR: 'A folder is in the place of a file. Move the folder away, then try again.',
  EMFILE: TOO_MANY_FILES,
  ENFILE: TOO_MANY_FILES,
}

/** Turns what the file system threw into words that say what to do; `what` is the sentence before them. */
export function fileTrouble(what: string, thrown: unknown): CarrelError {
  if (thrown instanceof CarrelError) return thrown
  const { code } = (thrown ?? {}) as { code?: unknown }
  const trouble = typeof code === 'string' ? TROUBLE[code] : undefined
  if (trouble === undefined) return asCarrelError(thrown)
  return new CarrelError('unavailable', `${what} ${trouble}`, { code }, thrown)
}
