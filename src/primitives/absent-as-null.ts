import { statSync } from 'node:fs'
import { errorCode } from './error-code.ts'

/*
 * "Absent" has one meaning in Carrel: ENOENT or ENOTDIR. A file that may not be read (EACCES), a full table of open
 * files (EMFILE) and a broken disk (EIO) are errors: code that takes them for "absent" deletes, overwrites or reports a
 * loss of things that are still there.
 */

const ABSENT: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR'])

/** Tells whether a call failed because nothing is at its path, or a file stands where the path needs a folder. */
export const isAbsent = (error: unknown): boolean => ABSENT.has(errorCode(error))

/** Returns a file-system call's result, or null for an absent path. @throws every error but ENOENT and ENOTDIR */
export async function absentAsNull<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call
  } catch (error) {
    if (isAbsent(error)) return null
    throw error
  }
}

/** @see absentAsNull */
export function absentAsNullSync<T>(call: () => T): T | null {
  try {
    return call()
  } catch (error) {
    if (isAbsent(error)) return null
    throw error
  }
}

/** Tells whether something is at `path`; a link counts by its target. @throws every error but ENOENT and ENOTDIR */
export const isPresent = (path: string): boolean => absentAsNullSync(() => statSync(path)) !== null
