import { SessionId } from '../../../model/ids.ts'
import { Item } from '../../../model/items.ts'
import { FOLD_VERSION } from '../../../model/view.ts'
import type { Dialect } from '../dialect.ts'
import type { Step } from '../migrate.ts'
import { indexItems } from '../search-index.ts'
import type { Tx } from '../tx.ts'

/** Items that were stored before are indexed at once, since a session that rests is not folded again. */
export const search = (dialect: Dialect): Step[] => [...dialect.words.tables, indexStored]

const PAGE = 500

async function indexStored(tx: Tx): Promise<void> {
  let from = { session: '', n: 0 }
  for (;;) {
    const rows = await tx.all<{ session: string; n: number; json: string }>(
      `select i.session, i.n, i.json from items i join folds on folds.session = i.session and folds.version = $1
       where (i.session, i.n) > ($2, $3) order by i.session, i.n limit $4`,
      FOLD_VERSION,
      from.session,
      from.n,
      PAGE,
    )
    for (const [session, items] of Map.groupBy(rows, (row) => row.session)) {
      await indexItems(tx, SessionId.parse(session), items.flatMap(readable))
    }
    const last = rows.at(-1)
    if (!last) return
    from = last
  }
}

/** What cannot be read is said when somebody opens it, and must not keep Carrel from starting. */
function readable({ json }: { json: string }): Item[] {
  try {
    const item = Item.safeParse(JSON.parse(json))
    return item.success ? [item.data] : []
  } catch {
    return []
  }
}
