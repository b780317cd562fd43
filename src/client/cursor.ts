/**
 * Where a reader stands in the logs it follows, as one short text: the `id` of a stream's events. `w.12~ses_x.40`
 * means 12 in the workspace log and 40 in that session's. A log that ended says `end` in place of its number.
 * A stream of exactly one session has the plain number, so that `curl` and a hand-written reader need no parser.
 */
export type Cursor = Map<string, Position>
/** The last `seq` that was read, or `end` for a log that is gone and must not be asked for again. */
export type Position = number | 'end'

/** The name of the workspace log in a cursor: a stream has at most one. */
export const WORKSPACE_LOG = 'w'

/** At most so many logs in one stream. */
export const MAX_TARGETS = 64

export function writeCursor(cursor: ReadonlyMap<string, Position>): string {
  let text = ''
  for (const [log, position] of cursor) text += `${text && '~'}${log}.${position}`
  return text
}

/**
 * Reads a cursor.
 * @param only the log that a plain number is about, where the stream follows exactly one session
 * @returns null when the text is no cursor
 */
export function readCursor(text: string, only: string | null = null): Cursor | null {
  const plain = positionOf(text)
  if (plain !== null) return only === null ? null : new Map([[only, plain]])
  const cursor: Cursor = new Map()
  for (const part of text.split('~')) {
    const dot = part.lastIndexOf('.')
    const position = positionOf(part.slice(dot + 1))
    if (dot < 1 || position === null) return null
    cursor.set(part.slice(0, dot), position)
  }
  return cursor
}

function positionOf(text: string): Position | null {
  if (text === 'end') return 'end'
  if (!/^\d{1,16}$/.test(text)) return null
  const seq = Number(text)
  return Number.isSafeInteger(seq) ? seq : null
}
