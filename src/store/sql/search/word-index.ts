import type { Term } from '../../../model/search.ts'
import type { Tx } from '../tx.ts'

/** The digest of an item whose indexing is deferred. Its row marks the pending work. */
export const DEFERRED = ''

export interface Indexed {
  readonly session: string
  readonly n: number
  readonly at: number
  readonly run: string | null
  /** Changes with the words. */
  readonly digest: string
  readonly words: readonly string[]
}

/**
 * The full-text index of one engine. Both engines receive words from `wordsOf` and split nothing themselves, so that
 * hits do not depend on the engine. Both have the table `search_items` (as `s`).
 */
export interface WordIndex {
  readonly tables: readonly string[]
  /** Indexes items. Skips items whose words did not change. */
  put(tx: Tx, items: readonly Indexed[]): Promise<void>
  /** Returns a statement to run before rows of `search_items` under `condition` are deleted; null for none. */
  forget(condition: string): string | null
  /** Returns the query value for `match`. `terms` is not empty. */
  query(terms: readonly Term[]): string
  /** The tables to select from, with the sessions as `t`. */
  readonly from: string
  readonly match: (value: string) => string
  /** Lower is better. */
  readonly score: (value: string) => string
  /** Grows with the time of the first indexing. */
  readonly age: string
}

const DEFERRED_INDEX = `create index search_items_put_off on search_items (session) where digest = '${DEFERRED}'`
const COLUMNS = 'session, n, at, run, digest'
const CONFLICT = 'on conflict (session, n) do update set digest = excluded.digest'
const CHANGED = 'where search_items.digest <> excluded.digest'

/** FTS5 without its own text: snippets come from the items. The ascii tokenizer splits at spaces only. */
export const SQLITE_WORDS: WordIndex = {
  tables: [
    `create table search_items (
      id integer primary key autoincrement, session text not null, n bigint not null, at bigint not null, run text,
      digest text not null)`,
    'create unique index search_items_n on search_items (session, n)',
    DEFERRED_INDEX,
    `create virtual table item_words using fts5(words, content='', contentless_delete=1, tokenize='ascii')`,
  ],
  async put(tx, items) {
    for (const { session, n, at, run, digest, words } of items) {
      const values = [session, n, at, run, digest]
      const changed = await tx.get<{ id: number }>(
        `insert into search_items (${COLUMNS}) values ($1, $2, $3, $4, $5) ${CONFLICT} ${CHANGED} returning id`,
        ...values,
      )
      if (!changed) continue
      await tx.run('insert or replace into item_words (rowid, words) values ($1, $2)', changed.id, words.join(' '))
    }
  },
  forget: (condition) => `delete from item_words where rowid in (select id from search_items where ${condition})`,
  // Quoted, so that no word acts as an operator.
  query: (terms) => terms.map(({ words, prefix }) => `"${words.join(' ')}"${prefix ? ' *' : ''}`).join(' AND '),
  // Cross joins fix the join order: words first, so that the newest come first without a sort.
  from: `item_words cross join search_items s on s.id = item_words.rowid
    cross join sessions t on t.id = s.session`,
  match: (value) => `item_words match ${value}`,
  score: () => 'bm25(item_words)',
  age: 'item_words.rowid',
}

const POSTGRES_COLUMNS = {
  session: 'text',
  n: 'bigint',
  at: 'bigint',
  run: 'text',
  digest: 'text',
  words: 'tsvector',
} as const

/** Builds vectors and queries itself: the parser of Postgres would take a path or version for one word. */
export const POSTGRES_WORDS: WordIndex = {
  tables: [
    `create table search_items (
      id bigint generated always as identity primary key, session text not null, n bigint not null,
      at bigint not null, run text, digest text not null, words tsvector not null)`,
    'create unique index search_items_n on search_items (session, n)',
    DEFERRED_INDEX,
    'create index search_items_words on search_items using gin (words)',
  ],
  async put(tx, items) {
    const rows = items.map(({ session, n, at, run, digest, words }) => [session, n, at, run, digest, vector(words)])
    await tx.insertMany('search_items', POSTGRES_COLUMNS, rows, `${CONFLICT}, words = excluded.words ${CHANGED}`)
  },
  forget: () => null,
  query: (terms) => terms.map(phrase).join(' & '),
  from: 'search_items s join sessions t on t.id = s.session',
  match: (value) => `s.words @@ cast(${value} as tsquery)`,
  // Normalization 1 lowers the rank of long texts, as bm25 does.
  score: (value) => `-ts_rank(s.words, cast(${value} as tsquery), 1)`,
  age: 's.id',
}

/** Returns a tsvector: `'word':1,5 'other':2`. Words are letters and digits, so they need no escapes. */
function vector(words: readonly string[]): string {
  const positions = new Map<string, number[]>()
  for (const [index, word] of words.entries()) {
    const known = positions.get(word)
    if (known) known.push(index + 1)
    else positions.set(word, [index + 1])
  }
  return [...positions].map(([word, at]) => `'${word}':${at.join(',')}`).join(' ')
}

function phrase({ words, prefix }: Term): string {
  const quoted = words.map((word, index) => `'${word}'${prefix && index === words.length - 1 ? ':*' : ''}`)
  return quoted.length === 1 ? quoted.join('') : `(${quoted.join(' <-> ')})`
}
