import { asCarrelError, CarrelError } from '../../model/errors.ts'
import { messageOf } from '../../primitives/message-of.ts'

/** SQLite's primary result codes with a cause outside of Carrel. @see https://sqlite.org/rescode.html */
const MESSAGES: Record<number, string> = {
  5: 'The database is in use by another program. Stop that program, then try again.',
  6: 'The database is in use by another program. Stop that program, then try again.',
  8: 'The database cannot be written: its file or folder is read-only. Give write access, then try again.',
  10: 'The disk reported an error. Nothing was written. Check the disk, then try again.',
  11: 'The database file is damaged. Restore a backup. `carrel doctor` shows details.',
  13: 'The disk is full. Nothing was written. Make room, then try again.',
  14: 'The database file cannot be opened. Check that its folder exists and is writable.',
  26: 'This file is not a database of Carrel. Use another data folder.',
}

/** Converts an error of node:sqlite into a `CarrelError`. A mistake in Carrel's own SQL stays `internal`. */
export function fromSqlite(thrown: unknown, busyMessage?: string): CarrelError {
  if (thrown instanceof CarrelError) return thrown
  const code = resultCode(thrown)
  const message = (code === 5 || code === 6) && busyMessage ? busyMessage : code === null ? undefined : MESSAGES[code]
  if (message === undefined) return asCarrelError(thrown)
  return new CarrelError('unavailable', message, { sqlite: messageOf(thrown) }, thrown)
}

export const isFullDisk = (thrown: unknown): boolean =>
  resultCode(thrown) === 13 || ['ENOSPC', 'EDQUOT'].includes(String((thrown as { code?: unknown } | null)?.code))

function resultCode(thrown: unknown): number | null {
  const { code, errcode } = (thrown ?? {}) as { code?: unknown; errcode?: unknown }
  return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode & 0xff : null
}
