import type { PageStore } from '../../data/page-state.ts'

const PAGE = 100
const DEEPEST = 8

/** A picture that its item omits, as far as the item describes it. */
export interface PictureDescription {
  readonly mimeType: string
  /** Length of the omitted data in characters. */
  readonly leftOut: number
}

/** The position of an item's events in the log of its session. */
export interface LogPosition {
  readonly workspace: string
  readonly session: string
  readonly n: number
  readonly seq: number
}

/** Reads a picture from the log as a data URL; null if the log lacks it. An abort takes effect between pages. */
export async function readPicture(
  page: Pick<PageStore, 'call'>,
  { workspace, session, n, seq }: LogPosition,
  wanted: PictureDescription,
  signal: AbortSignal,
): Promise<string | null> {
  for (let after = n - 1; after < seq && !signal.aborted; ) {
    const { events } = await page.call('sessions.events', { workspace, id: session, after, limit: PAGE })
    const last = events.at(-1)
    if (!last) return null
    for (const { data } of events) {
      const found = dataIn(data, wanted, DEEPEST)
      if (found !== null) return `data:${wanted.mimeType};base64,${found}`
    }
    after = last.seq
  }
  return null
}

function dataIn(value: unknown, wanted: PictureDescription, depth: number): string | null {
  if (value === null || typeof value !== 'object' || depth === 0) return null
  const { type, mimeType, data } = value as Record<string, unknown>
  const fits = type === 'image' && mimeType === wanted.mimeType && typeof data === 'string'
  if (fits && data.length === wanted.leftOut) return data
  for (const inner of Object.values(value)) {
    const found = dataIn(inner, wanted, depth - 1)
    if (found !== null) return found
  }
  return null
}
