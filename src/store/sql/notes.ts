import { CarrelError } from '../../model/errors.ts'
import type { Lease } from '../lease.ts'
import type { Noted } from '../store.ts'
import { hold, spaceLease } from './leases.ts'
import { append } from './log.ts'
import { lockSession } from './project.ts'
import type { Tx } from './tx.ts'

interface Noting {
  readonly lease: Lease
  readonly noted: Noted
  readonly now: number
}

/** Sessions are locked in the order of their ids, so that two of these never wait for each other. */
export async function note(tx: Tx, { lease, noted, now }: Noting): Promise<null> {
  await hold(tx, lease, spaceLease(noted.space), now)
  const bySession = Map.groupBy(noted.notes, ({ session }) => session)
  for (const session of [...bySession.keys()].sort()) {
    const work = await lockSession(tx, session, now)
    // Deleted meanwhile: nobody is left to be told.
    if (!work) continue
    if (work.row.space !== noted.space) {
      throw new CarrelError('not_found', `There is no session ${session} in this Space.`, { session })
    }
    const notes = (bySession.get(session) ?? []).map((each) => each.note)
    // What others did to a session's files moves it up in lists.
    work.news = true
    const { last } = await append(tx, work, notes)
    tx.rings.push({ log: session, head: last, due: false })
  }
  if (noted.act) {
    const { place, id } = noted.act
    await tx.run(
      'insert into acts_noted (place, act) values ($1, $2) on conflict (place) do update set act = excluded.act',
      place,
      id,
    )
  }
  return null
}

/** The last act of a place whose notes were written. */
export async function lastNoted(tx: Tx, { place }: { place: string }): Promise<string | null> {
  const row = await tx.get<{ act: string }>('select act from acts_noted where place = $1', place)
  return row?.act ?? null
}
