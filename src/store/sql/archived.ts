import type { Tx } from './tx.ts'

/** Sessions put away long ago that nothing goes on in, and whose items are stored. */
const OLD = `archived_at is not null and archived_at < $1 and run_state is null and due = 0
  and exists (select 1 from folds where folds.session = sessions.id)`

export interface Forgotten {
  readonly count: number
  readonly bytes: number
}

export async function forgettableArchived(tx: Tx, { before }: { before: number }): Promise<Forgotten> {
  const sessions = await tx.get<{ n: number }>(`select count(*) as n from sessions where ${OLD}`, before)
  const items = await tx.get<{ bytes: number | null }>(
    `select cast(sum(length(json)) as bigint) as bytes from items
     where session in (select id from sessions where ${OLD})`,
    before,
  )
  return { count: sessions?.n ?? 0, bytes: items?.bytes ?? 0 }
}

/** Items, fold and search; the log stays, and all of them are made again from it. */
export async function forgetArchived(tx: Tx, { before }: { before: number }): Promise<Forgotten> {
  const old = await tx.all<{ id: string }>(
    `select id from sessions where ${OLD} order by id${tx.dialect.forUpdate}`,
    before,
  )
  let bytes = 0
  for (const { id } of old) {
    const row = await tx.get<{ bytes: number | null }>(
      'select cast(sum(length(json)) as bigint) as bytes from items where session = $1',
      id,
    )
    bytes += row?.bytes ?? 0
    const forget = tx.dialect.words.forget('session = $1')
    if (forget) await tx.run(forget, id)
    for (const table of ['items', 'search_items', 'folds']) await tx.run(`delete from ${table} where session = $1`, id)
  }
  return { count: old.length, bytes }
}
