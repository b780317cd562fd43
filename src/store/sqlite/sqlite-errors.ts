import { asCarrelError, CarrelError } from '../../model/errors.ts'
import { messageOf } from '../../primitives/message-of.ts'

/** SQLite's primary result codes that mean trouble outside of Carrel. @see https://sqlite.org/rescode.html */
const TROUBLE: Record<number, string> = {
  5: 'The database is in use by another program. Stop that one, then try again.',
  6: 'The database is in use by another program. Stop that one, then try again.',
  8: 'The database cannot be written: its file or folder is read-only. Give write access, then try again.',
  10: 'The disk reported an error. Nothing was written. Check the disk, then try again.',
  11: 'The database file is damaged. Put a backup in its place; carrel doctor says more.',
  13: 'The disk is full. Nothing was written. Make room, then try again.',
  14: 'The database file cannot be opened. Check that its folder is there and may be written.',
  26: 'This file is no database of Carrel. Name another data folder.',
}

/** What node:sqlite threw, in Carrel's words; a mistake of Carrel's own SQL stays `internal`. */
export function fromSqlite(thrown: unknown, busyMessage?: string): CarrelError {
  if (thrown instanceof CarrelError) return thrown
  const code = resultCode(thrown)
  const message = (code === 5 || code === 6) && busyMessage ? busyMessage : code === null ? undefined : TROUBLE[code]
  if (message === undefined) return asCarrelError(thrown)
  return new CarrelError('unavailable', message, { sqlite: messageOf(thrown) }, thrown)
}

/** Whether SQLite, or a file of it, found the disk full. */
export const isFullDisk = (thrown: unknown): boolean =>
  resultCode(thrown) === 13 || ['ENOSPC', 'EDQUOT'].includes(String((thrown as { code?: unknown } | null)?.code))

function resultCode(thrown: unknown): number | null {
  const { code, errcode } = (thrown ?? {}) as { code?: unknown; errcode?: unknown }
  return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode & 0xff : null
}
