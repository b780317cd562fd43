import type { Page } from '../data/page-store.ts'

const PAGE = 100
const DEEPEST = 8

/** A picture that its item left out, by what the item says of it. */
export interface LeftOut {
  readonly mimeType: string
  /** How many characters its data has. */
  readonly leftOut: number
}

/** Where an item's events stand in its session's log. */
export interface Stand {
  readonly workspace: string
  readonly session: string
  readonly n: number
  readonly seq: number
}

/** The picture as the log has it, ready to be shown; null where it is not there. Aborts between pages. */
export async function readPicture(
  page: Pick<Page, 'call'>,
  { workspace, session, n, seq }: Stand,
  wanted: LeftOut,
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

function dataIn(value: unknown, wanted: LeftOut, depth: number): string | null {
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
