import { hash } from 'node:crypto'
import { CarrelError } from '../../../model/errors.ts'
import { itemText } from '../../../model/events/item-text.ts'
import { FOLD_VERSION } from '../../../model/events/view.ts'
import type { SessionId, WorkspaceId } from '../../../model/ids.ts'
import { excerpt, type SearchHit, type Term, termsOf } from '../../../model/search.ts'
import type { LogStore } from '../../store.ts'
import { readCursor, toPage } from '../cursor.ts'
import { toItem } from '../items.ts'
import type { StoreOperation } from '../operation.ts'
import type { SqlValue, Tx } from '../tx.ts'

/** Most hits that are ranked, newest first: ranking reads every hit, and a frequent word has many. */
const RANKED = 2_000

interface HitRow {
  readonly session: SessionId
  readonly session_name: string
  readonly space: SearchHit['space']
  readonly project: SearchHit['project']
  readonly agent: string | null
  readonly json: string
}

export const search: StoreOperation<LogStore['search']> = async (tx, [workspace, filter, page]) => {
  const query = hash('sha1', JSON.stringify([filter.text, filter.session ?? null]), 'base64url')
  const position = readCursor('search', workspace, page)
  if (position && (position.id !== query || position.at < 0)) {
    throw new CarrelError('bad_input', 'This cursor belongs to another search. Begin again without a cursor.')
  }
  const offset = position?.at ?? 0
  const terms = termsOf(filter.text)
  // A text without words finds nothing.
  if (terms.length === 0) return { rows: [], cursor: null }
  const rows = await findRows(tx, terms, { workspace, session: filter.session, offset, limit: page.limit + 1 })
  return toPage(rows, {
    list: 'search',
    workspace,
    limit: page.limit,
    row: (row) => toHit(row, terms),
    position: () => ({ at: offset + page.limit, id: query }),
  })
}

interface Window {
  readonly workspace: WorkspaceId
  readonly session: SessionId | undefined
  readonly offset: number
  readonly limit: number
}

async function findRows(tx: Tx, terms: readonly Term[], window: Window): Promise<HitRow[]> {
  const { words } = tx.dialect
  const values: SqlValue[] = [words.query(terms), window.workspace, RANKED, window.limit, window.offset]
  const inSession = window.session === undefined ? '' : `and s.session = $${values.push(window.session)}`
  return await tx.all<HitRow>(
    `select page.session, t.name as session_name, t.space, t.project, r.agent, items.json
     from (
       select found.* from (
         select s.id, s.session, s.n, s.at, s.run, ${words.score('$1')} as score
         from ${words.from}
         where ${words.match('$1')} and t.workspace = $2 ${inSession}
         order by ${words.age} desc limit $3
       ) found
       where exists (select 1 from folds where folds.session = found.session and folds.version = ${FOLD_VERSION})
       order by found.score, found.at desc, found.id desc limit $4 offset $5
     ) page
     join sessions t on t.id = page.session
     join items on items.session = page.session and items.n = page.n
     left join runs r on r.id = page.run and r.workspace = $2
     order by page.score, page.at desc, page.id desc`,
    ...values,
  )
}

function toHit(row: HitRow, terms: readonly Term[]): SearchHit {
  const item = toItem(row)
  const { session, session_name: sessionName, space, project, agent } = row
  const { n, kind, at } = item
  return { session, sessionName, space, project, n, kind, at, agent, ...excerpt(itemText(item), terms) }
}
