/**
 * Positions of a reader in its logs. The `id` of a stream's events encodes them: `w.12~ses_x.40` means 12 in the
 * workspace log and 40 in that session's log. An ended log has `end` instead of a number.
 * A stream of exactly one session uses the plain number, so that `curl` and simple readers need no parser.
 */
export type Cursor = Map<string, Position>
/** Last `seq` read, or `end` for a log that no longer exists and must not be requested again. */
export type Position = number | 'end'

/** Name of the workspace log in a cursor; a stream has at most one. */
export const WORKSPACE_LOG = 'w'

export const MAX_TARGETS = 64

export function writeCursor(cursor: ReadonlyMap<string, Position>): string {
  let text = ''
  for (const [log, position] of cursor) text += `${text && '~'}${log}.${position}`
  return text
}

/**
 * Parses a cursor.
 * @param only log of a plain number, when the stream follows exactly one session
 * @returns null when the text is not a cursor
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
