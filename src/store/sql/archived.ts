import type { LogStore } from '../store.ts'
import type { StoreOperation } from './operation.ts'

/** Resting sessions with stored items that were archived before `$1`. */
const OLD = `archived_at is not null and archived_at < $1 and run_state is null and due = 0
  and exists (select 1 from folds where folds.session = sessions.id)`

export const forgettableArchived: StoreOperation<LogStore['forgettableArchived']> = async (tx, [before]) => {
  const sessions = await tx.get<{ n: number }>(`select count(*) as n from sessions where ${OLD}`, before)
  const items = await tx.get<{ bytes: number | null }>(
    `select cast(sum(length(json)) as bigint) as bytes from items
     where session in (select id from sessions where ${OLD})`,
    before,
  )
  return { count: sessions?.n ?? 0, bytes: items?.bytes ?? 0 }
}

/** Removes items, fold and search index. The log stays, and all of them are rebuilt from it. */
export const forgetArchived: StoreOperation<LogStore['forgetArchived']> = async (tx, [before]) => {
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
