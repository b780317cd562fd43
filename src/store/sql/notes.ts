import { CarrelError } from '../../model/errors.ts'
import type { LogStore } from '../store.ts'
import { hold, spaceLease } from './leases.ts'
import { append } from './log.ts'
import type { StoreOperation } from './operation.ts'
import { lockSession } from './project.ts'

/** Locks sessions in the order of their ids, so that two calls never deadlock. */
export const note: StoreOperation<LogStore['note']> = async (tx, [lease, noted, now]) => {
  await hold(tx, lease, spaceLease(noted.space), now)
  const bySession = Map.groupBy(noted.notes, ({ session }) => session)
  for (const session of [...bySession.keys()].sort()) {
    const work = await lockSession(tx, session, now)
    // The session was deleted meanwhile.
    if (!work) continue
    if (work.row.space !== noted.space) {
      throw new CarrelError('not_found', `This Space has no session ${session}.`, { session })
    }
    const notes = (bySession.get(session) ?? []).map((each) => each.note)
    // A change by others to its files moves a session up in lists.
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
}

export const lastNoted: StoreOperation<LogStore['lastNoted']> = async (tx, [place]) => {
  const row = await tx.get<{ act: string }>('select act from acts_noted where place = $1', place)
  return row?.act ?? null
}
