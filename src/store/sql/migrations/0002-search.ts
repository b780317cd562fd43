import { Item } from '../../../model/events/items.ts'
import { FOLD_VERSION } from '../../../model/events/view.ts'
import { SessionId } from '../../../model/ids.ts'
import type { UpgradeFinding } from '../../../model/upgrade.ts'
import { indexItems } from '../search/search-index.ts'
import type { Tx } from '../tx.ts'
import { createTally, type Tally, tallyRows } from './kept-rows.ts'
import type { Migration } from './migration.ts'

/** Indexes stored items at once, because a resting session is not folded again. */
export const search: Migration = {
  name: '0002-search',
  summary: 'Adds the index of search, and the words of all stored items to it.',
  rewrites: () => ['items'],
  steps: (dialect) => [...dialect.words.tables, indexStored],
  keeps: () => [{ table: 'search_items', before: tallyReadable, after: tallyIndexed }],
  preflight: unreadableItems,
}

const PAGE = 500

interface Stored {
  readonly session: string
  readonly n: number
  readonly json: string
}

async function indexStored(tx: Tx): Promise<void> {
  for await (const rows of storedPages(tx)) {
    for (const [session, items] of Map.groupBy(rows, (row) => row.session)) {
      await indexItems(tx, SessionId.parse(session), items.flatMap(readable))
    }
  }
}

async function* storedPages(tx: Tx): AsyncGenerator<Stored[]> {
  let from = { session: '', n: 0 }
  for (;;) {
    const values = [FOLD_VERSION, from.session, from.n, PAGE]
    const rows = await tx.all<Stored>(
      `select i.session, i.n, i.json from items i join folds on folds.session = i.session and folds.version = $1
       where (i.session, i.n) > ($2, $3) order by i.session, i.n limit $4`,
      ...values,
    )
    yield rows
    const last = rows.at(-1)
    if (!last) return
    from = last
  }
}

/** Parses an item, or returns nothing: an unreadable item must not prevent the start. Opening it shows the error. */
function readable({ json }: Pick<Stored, 'json'>): Item[] {
  try {
    const item = Item.safeParse(JSON.parse(json))
    return item.success ? [item.data] : []
  } catch {
    return []
  }
}

/** Tallies each number once: the index uses the number inside the item, and a damaged row may hold another's number. */
async function tallyReadable(tx: Tx): Promise<Tally> {
  const tally = createTally()
  let seen = { session: '', numbers: new Set<number>() }
  for await (const rows of storedPages(tx)) {
    for (const row of rows) {
      if (row.session !== seen.session) seen = { session: row.session, numbers: new Set() }
      for (const { n } of readable(row)) {
        if (!seen.numbers.has(n)) tally.add([row.session, n])
        seen.numbers.add(n)
      }
    }
  }
  return tally.result()
}

const tallyIndexed = (tx: Tx): Promise<Tally> =>
  tallyRows(tx, { table: 'search_items', key: ['session', 'n'], columns: ['session', 'n'] })

async function unreadableItems(tx: Tx): Promise<UpgradeFinding[]> {
  let unread = 0
  for await (const rows of storedPages(tx)) unread += rows.filter((row) => readable(row).length === 0).length
  if (unread === 0) return []
  return [
    {
      level: 'note',
      kind: 'misfit',
      text: `${unread} stored items cannot be read. The search will not find them.`,
      next: 'Open their sessions after the upgrade. The error message names the item.',
    },
  ]
}
