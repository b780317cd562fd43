import type { LogStore } from '../store.ts'
import type { StoreOperation } from './operation.ts'
import type { Tx } from './tx.ts'

/** Resting sessions with stored items that were archived before `$1`. */
const OLD = `archived_at is not null and archived_at < $1 and run_state is null and due = 0
  and exists (select 1 from folds where folds.session = sessions.id)`

export const forgettableArchived: StoreOperation<LogStore['forgettableArchived']> = async (tx, [before]) => {
  const sessions = await tx.all<{ id: string }>(`select id from sessions where ${OLD}`, before)
  let bytes = 0
  for (const { id } of sessions) bytes += await derivedBytes(tx, id)
  return { count: sessions.length, bytes }
}

/** Removes items, fold and search index. The log stays, and all of them are rebuilt from it. */
export const forgetArchived: StoreOperation<LogStore['forgetArchived']> = async (tx, [before]) => {
  const old = await tx.all<{ id: string }>(
    `select id from sessions where ${OLD} order by id${tx.dialect.forUpdate}`,
    before,
  )
  let bytes = 0
  for (const { id } of old) {
    bytes += await derivedBytes(tx, id)
    const forget = tx.dialect.words.forget('session = $1')
    if (forget) await tx.run(forget, id)
    for (const table of ['items', 'search_items', 'folds']) await tx.run(`delete from ${table} where session = $1`, id)
  }
  return { count: old.length, bytes }
}

/** Bytes of the rows that `forgetArchived` removes of a session, without the words of the search index. */
async function derivedBytes(tx: Tx, session: string): Promise<number> {
  const row = await tx.get<{ bytes: number }>(
    `select cast(coalesce((select sum(octet_length(json)) from items where session = $1), 0)
      + coalesce((select sum(octet_length(view)) from folds where session = $1), 0)
      + coalesce((select sum(octet_length(digest)) from search_items where session = $1), 0) as bigint) as bytes`,
    session,
  )
  return row?.bytes ?? 0
}
