import { z } from 'zod'
import { CarrelError } from '../../model/errors.ts'
import { Item } from '../../model/events/items.ts'
import { FOLD_VERSION, type SessionView } from '../../model/events/view.ts'
import type { SessionId } from '../../model/ids.ts'
import type { FoldWrite, LogStore } from '../store.ts'
import type { StoreOperation } from './operation.ts'
import { findDeferred, forgetItems, indexItems } from './search/search-index.ts'
import type { Columns, Tx } from './tx.ts'

const ITEMS: Columns = { session: 'text', n: 'bigint', json: 'text' }

/** The parts of a view that are checked. The version of the fold covers the rest. */
const ViewShape = z.looseObject({
  session: z.string(),
  seq: z.number().int(),
  state: z.enum(['open', 'closing', 'closed']),
  queue: z.array(z.unknown()),
  agents: z.record(z.string(), z.unknown()),
  index: z.looseObject({}),
})

/**
 * Stores view and items as of `fold.seq`, unless a newer fold is stored. Removes items of another fold version first: a
 * fold of this version began at event 1, and so brings all items.
 * Texts that still grow are not indexed while the session is at work; at rest all texts are.
 */
export async function writeFold(
  tx: Tx,
  session: SessionId,
  fold: FoldWrite,
  phase: 'at work' | 'at rest',
): Promise<void> {
  const stored = await tx.get<{ version: number; seq: number }>(
    'select version, seq from folds where session = $1',
    session,
  )
  if (stored && stored.version !== FOLD_VERSION) await removeItems(tx, session)
  else if (stored && stored.seq > fold.seq) return
  const { message, thought } = fold.view.index
  const growing = phase === 'at rest' ? [] : [message?.n, thought?.n].filter((n) => n !== undefined)
  await putFold(tx, session, fold, new Set(growing))
}

/** Replaces all items and the fold. The caller has locked the session's row. */
export async function replaceFold(tx: Tx, session: SessionId, fold: FoldWrite): Promise<void> {
  await removeItems(tx, session)
  await putFold(tx, session, fold, new Set())
}

async function removeItems(tx: Tx, session: SessionId): Promise<void> {
  await forgetItems(tx, session)
  await tx.run('delete from items where session = $1', session)
}

async function putFold(tx: Tx, session: SessionId, fold: FoldWrite, growing: ReadonlySet<number>): Promise<void> {
  if (fold.view.seq !== fold.seq || fold.view.session !== session) {
    throw new CarrelError('internal', 'A fold must be stored under its own session and position.', { session })
  }
  const values = [session, FOLD_VERSION, fold.seq, JSON.stringify(fold.view)]
  await tx.run(
    `insert into folds (session, version, seq, view) values ($1, $2, $3, $4)
     on conflict (session) do update set version = excluded.version, seq = excluded.seq, view = excluded.view`,
    ...values,
  )
  const rows = fold.items.map((item) => [session, item.n, JSON.stringify(item)])
  await tx.insertMany('items', ITEMS, rows, 'on conflict (session, n) do update set json = excluded.json')
  await indexItems(tx, session, fold.items, growing)
  const deferred = await findDeferred(tx, session, growing)
  if (deferred.length > 0) await indexItems(tx, session, await readItemsByN(tx, [session, deferred]))
}

export const readFold: StoreOperation<LogStore['fold']> = async (tx, [session]) => {
  const row = await tx.get<{ version: number; seq: number; view: string }>(
    'select version, seq, view from folds where session = $1',
    session,
  )
  if (!row || row.version !== FOLD_VERSION) return null
  const view = ViewShape.safeParse(parsed(row.view))
  // An unreadable fold is rebuilt from the log, like a missing one.
  if (!view.success || view.data.session !== session) return null
  return { view: view.data as unknown as SessionView, seq: row.seq }
}

/** Pages count checked folds and not found ones: mostly none is found, and a long read would block all others. */
export const staleFolds: StoreOperation<LogStore['staleFolds']> = async (tx, [before, limit]) => {
  const rows = await tx.all<{ session: SessionId; version: number }>(
    `select session, version from folds ${before === null ? '' : 'where session < $2'} order by session desc limit $1`,
    limit,
    ...(before === null ? [] : [before]),
  )
  const sessions = rows.filter(({ version }) => version !== FOLD_VERSION).map(({ session }) => session)
  return { sessions, last: rows.length < limit ? null : (rows.at(-1)?.session ?? null) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

export const readItems: StoreOperation<LogStore['items']> = async (tx, [session, before, limit]) => {
  const values = [session, before ?? Number.MAX_SAFE_INTEGER, limit]
  const rows = await tx.all<{ json: string }>(
    `select json from items where session = $1 and n < $2 and exists (${SAME_VERSION}) order by n desc limit $3`,
    ...values,
  )
  return rows.map(toItem)
}

export const readItemsByN: StoreOperation<LogStore['itemsByN']> = async (tx, [session, ns]) => {
  const found: Item[] = []
  for (const n of new Set(ns)) {
    const row = await tx.get<{ json: string }>(
      `select json from items where session = $1 and n = $2 and exists (${SAME_VERSION})`,
      session,
      n,
    )
    if (row) found.push(toItem(row))
  }
  return found
}

const SAME_VERSION = `select 1 from folds where folds.session = $1 and folds.version = ${FOLD_VERSION}`

export function toItem({ json }: { json: string }): Item {
  const item = Item.safeParse(parsed(json))
  if (item.success) return item.data
  throw new CarrelError(
    'internal',
    'A stored item cannot be read. Rebuild the items with `carrel sessions rebuild` and the id of the session.',
    {
      issues: item.error.issues,
    },
  )
}
