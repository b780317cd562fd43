import { hash } from 'node:crypto'
import { itemText } from '../../../model/events/item-text.ts'
import type { Item } from '../../../model/events/items.ts'
import type { SessionId } from '../../../model/ids.ts'
import { wordsOf } from '../../../model/search.ts'
import type { Tx } from '../tx.ts'
import { DEFERRED, type Indexed } from './word-index.ts'

/**
 * Indexes items as they are stored; new words of an item replace its old ones. Defers items in `growing`: a streaming
 * text is stored every second, and indexing it costs more than storing it.
 */
export async function indexItems(
  tx: Tx,
  session: SessionId,
  items: readonly Item[],
  growing: ReadonlySet<number> = new Set(),
): Promise<void> {
  await tx.dialect.words.put(
    tx,
    items.map((item) => toIndexed(session, item, growing.has(item.n))),
  )
}

function toIndexed(session: SessionId, item: Item, growing: boolean): Indexed {
  const { n, at, run } = item
  if (growing) return { session, n, at, run, digest: DEFERRED, words: [] }
  const words = wordsOf(itemText(item))
  return { session, n, at, run, digest: hash('sha1', words.join(' '), 'base64url'), words }
}

export async function findDeferred(tx: Tx, session: SessionId, growing: ReadonlySet<number>): Promise<number[]> {
  const rows = await tx.all<{ n: number }>(
    `select n from search_items where session = $1 and digest = '${DEFERRED}'`,
    session,
  )
  return rows.map(({ n }) => n).filter((n) => !growing.has(n))
}

export async function forgetItems(tx: Tx, session: SessionId): Promise<void> {
  const forget = tx.dialect.words.forget('session = $1')
  if (forget) await tx.run(forget, session)
  await tx.run('delete from search_items where session = $1', session)
}
