import type { Carrel } from '../api/index.ts'

const PAGE = 5_000

/**
 * Finds the last event of a session before its runs changed files after snapshot `n` of its place. A fork there has the
 * transcript that matches the files of the snapshot. Returns null when the session started later.
 */
export async function talkAt(
  carrel: Pick<Carrel, 'call'>,
  at: { readonly workspace: string; readonly id: string },
  n: number,
): Promise<number | null> {
  let after = 0
  let last: number | null = null
  for (;;) {
    const { events, head } = await carrel.call('sessions.events', { ...at, after, limit: PAGE })
    for (const event of events) {
      const taken = event.type === 'snapshot.taken' ? (event.data as { n: number }).n : null
      if (taken !== null && taken > n) return last ?? (event.seq > 1 ? event.seq - 1 : null)
      if (taken !== null) last = event.seq
      after = event.seq
    }
    if (events.length === 0 || after >= head) return after > 0 ? after : null
  }
}
