import { z } from 'zod'
import { CarrelError } from '../../model/errors.ts'
import type { SessionId } from '../../model/ids.ts'
import { Item } from '../../model/items.ts'
import { FOLD_VERSION, type SessionView } from '../../model/view.ts'
import type { FoldWrite } from '../store.ts'
import { findPutOff, forgetItems, indexItems } from './search-index.ts'
import type { Columns, Tx } from './tx.ts'

const ITEMS: Columns = { session: 'text', n: 'bigint', json: 'text' }

/** Enough of a view to tell it from something else; its inside has a version. */
const ViewShape = z.looseObject({
  session: z.string(),
  seq: z.number().int(),
  state: z.enum(['open', 'closing', 'closed']),
  queue: z.array(z.unknown()),
  agents: z.record(z.string(), z.unknown()),
  index: z.looseObject({}),
})

/**
 * Stores view and items as of `fold.seq`; one that is older than what is there is left out. Items of another fold
 * version go first: whoever folds with this version began at event 1 and so brings all of them.
 * While the session is at work, what is being said is not searched yet; when it rests, everything is.
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

/** Replaces everything. The session's row must be locked. */
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
    throw new CarrelError('internal', 'A fold must be stored with its own session and position.', { session })
  }
  await tx.run(
    `insert into folds (session, version, seq, view) values ($1, $2, $3, $4)
     on conflict (session) do update set version = excluded.version, seq = excluded.seq, view = excluded.view`,
    session,
    FOLD_VERSION,
    fold.seq,
    JSON.stringify(fold.view),
  )
  const rows = fold.items.map((item) => [session, item.n, JSON.stringify(item)])
  await tx.insertMany('items', ITEMS, rows, 'on conflict (session, n) do update set json = excluded.json')
  await indexItems(tx, session, fold.items, growing)
  const putOff = await findPutOff(tx, session, growing)
  if (putOff.length > 0) await indexItems(tx, session, await readItemsByN(tx, { session, ns: putOff }))
}

export async function readFold(
  tx: Tx,
  { session }: { session: SessionId },
): Promise<{ view: SessionView; seq: number } | null> {
  const row = await tx.get<{ version: number; seq: number; view: string }>(
    'select version, seq, view from folds where session = $1',
    session,
  )
  if (!row || row.version !== FOLD_VERSION) return null
  const view = ViewShape.safeParse(parsed(row.view))
  // What cannot be read is made again from the log, like one that was never stored.
  if (!view.success || view.data.session !== session) return null
  return { view: view.data as unknown as SessionView, seq: row.seq }
}

/** In pages of what is looked at, not of what is found: mostly nothing is, and a long read would hold up all others. */
export async function staleFolds(
  tx: Tx,
  { before, limit }: { before: SessionId | null; limit: number },
): Promise<{ sessions: SessionId[]; last: SessionId | null }> {
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

export async function readItems(
  tx: Tx,
  { session, before, limit }: { session: SessionId; before: number | null; limit: number },
): Promise<Item[]> {
  const rows = await tx.all<{ json: string }>(
    `select json from items where session = $1 and n < $2 and exists (${SAME_VERSION}) order by n desc limit $3`,
    session,
    before ?? Number.MAX_SAFE_INTEGER,
    limit,
  )
  return rows.map(toItem)
}

export async function readItemsByN(
  tx: Tx,
  { session, ns }: { session: SessionId; ns: readonly number[] },
): Promise<Item[]> {
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
    'A stored item cannot be read. Make the items again with `carrel sessions rebuild` and the id of the session.',
    {
      issues: item.error.issues,
    },
  )
}
