import type { Term } from '../../model/search.ts'
import type { Tx } from './tx.ts'

/** The digest of an item whose words are put off. It has a row, so that it is not forgotten. */
export const UNREAD = ''

/** What of one item goes into the index. */
export interface Indexed {
  readonly session: string
  readonly n: number
  readonly at: number
  readonly run: string | null
  /** Tells whether the words changed. */
  readonly digest: string
  readonly words: readonly string[]
}

/**
 * How an engine indexes words. Both are given words as `wordsOf` makes them, and take nothing apart themselves: what
 * is found must not depend on the engine. `search_items` (as `s`) is a table of both.
 */
export interface WordIndex {
  readonly tables: readonly string[]
  /** Indexes items; one whose words are those it is known by costs nothing more. */
  put(tx: Tx, items: readonly Indexed[]): Promise<void>
  /** What must go before rows of `search_items` that `condition` names; null for nothing. */
  forget(condition: string): string | null
  /** What is asked for, as the value that `match` takes. `terms` is not empty. */
  query(terms: readonly Term[]): string
  /** With the sessions as `t`. */
  readonly from: string
  readonly match: (value: string) => string
  /** Better is less. */
  readonly score: (value: string) => string
  /** Grows with the time at which an item was first indexed. */
  readonly age: string
}

const PUT_OFF = `create index search_items_put_off on search_items (session) where digest = '${UNREAD}'`
const COLUMNS = 'session, n, at, run, digest'
const CONFLICT = 'on conflict (session, n) do update set digest = excluded.digest'
const CHANGED = 'where search_items.digest <> excluded.digest'

/**
 * FTS5 that keeps no text of its own: the items have it, and snippets are made of them. The ascii tokenizer parts at
 * spaces and leaves all other characters alone.
 */
export const SQLITE_WORDS: WordIndex = {
  tables: [
    `create table search_items (
      id integer primary key autoincrement, session text not null, n bigint not null, at bigint not null, run text,
      digest text not null)`,
    'create unique index search_items_n on search_items (session, n)',
    PUT_OFF,
    `create virtual table item_words using fts5(words, content='', contentless_delete=1, tokenize='ascii')`,
  ],
  async put(tx, items) {
    for (const { session, n, at, run, digest, words } of items) {
      const changed = await tx.get<{ id: number }>(
        `insert into search_items (${COLUMNS}) values ($1, $2, $3, $4, $5) ${CONFLICT} ${CHANGED} returning id`,
        session,
        n,
        at,
        run,
        digest,
      )
      if (!changed) continue
      await tx.run('insert or replace into item_words (rowid, words) values ($1, $2)', changed.id, words.join(' '))
    }
  },
  forget: (condition) => `delete from item_words where rowid in (select id from search_items where ${condition})`,
  // Quoted, so that no word is an operator.
  query: (terms) => terms.map(({ words, prefix }) => `"${words.join(' ')}"${prefix ? ' *' : ''}`).join(' AND '),
  // Cross joins keep this order: the words are looked up first, and the newest come first without sorting.
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

/** Vectors and queries are written out, not parsed from text: its own parser would take paths and versions for one word. */
export const POSTGRES_WORDS: WordIndex = {
  tables: [
    `create table search_items (
      id bigint generated always as identity primary key, session text not null, n bigint not null,
      at bigint not null, run text, digest text not null, words tsvector not null)`,
    'create unique index search_items_n on search_items (session, n)',
    PUT_OFF,
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
  // 1: a long text does not win by its length, as with bm25.
  score: (value) => `-ts_rank(s.words, cast(${value} as tsquery), 1)`,
  age: 's.id',
}

/** `'word':1,5 'other':2`. Words are letters and digits, so none ends its quotes. */
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
