import { asCarrelError, CarrelError } from './errors.ts'

const TROUBLE: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full. Make room, or choose another place, and try again.',
  EDQUOT: 'The quota of this disk is used up. Make room, or choose another place, and try again.',
  EROFS: 'That disk is read-only. Choose another place.',
  EACCES: 'Carrel may not write there, or not read what it needs. Give access, or choose another place.',
  EPERM: 'Carrel may not write there, or not read what it needs. Give access, or choose another place.',
}

/** Turns what the file system threw into words that say what to do; `what` is the sentence before them. */
export function fileTrouble(what: string, thrown: unknown): CarrelError {
  if (thrown instanceof CarrelError) return thrown
  const { code } = (thrown ?? {}) as { code?: unknown }
  const trouble = typeof code === 'string' ? TROUBLE[code] : undefined
  if (trouble === undefined) return asCarrelError(thrown)
  return new CarrelError('unavailable', `${what} ${trouble}`, { code }, thrown)
}
