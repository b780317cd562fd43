import type { Carrel } from '../api/index.ts'

/** Events of one request. */
const PAGE = 5_000

/**
 * The last event of a session before a run of it changed anything after snapshot `n` of its place: a fork there has the
 * talk as it was when the files were so. Null when the session had not begun then.
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
