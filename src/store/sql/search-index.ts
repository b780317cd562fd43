import { hash } from 'node:crypto'
import type { SessionId } from '../../model/ids.ts'
import { itemText } from '../../model/item-text.ts'
import type { Item } from '../../model/items.ts'
import { wordsOf } from '../../model/search.ts'
import type { Tx } from './tx.ts'

/** Indexes items as they are stored; an item that was indexed before is from now on found by its new words only. */
export async function indexItems(tx: Tx, session: SessionId, items: readonly Item[]): Promise<void> {
  await tx.dialect.words.put(
    tx,
    items.map((item) => {
      const words = wordsOf(itemText(item))
      const digest = hash('sha1', words.join(' '), 'base64url')
      return { session, n: item.n, at: item.at, run: item.run, digest, words }
    }),
  )
}

export async function forgetItems(tx: Tx, session: SessionId): Promise<void> {
  const forget = tx.dialect.words.forget('session = $1')
  if (forget) await tx.run(forget, session)
  await tx.run('delete from search_items where session = $1', session)
}
