import { POSTGRES_WORDS, SQLITE_WORDS, type WordIndex } from './word-index.ts'

/**
 * All that the two engines do not say alike. SQLite has one writer at a time, so a row needs no lock there.
 * Bulk inserts are the other difference; they are `Tx.insertMany`, with a body for each engine.
 */
export interface Dialect {
  readonly name: 'sqlite' | 'postgres'
  /** Type of a key that counts up by itself. */
  readonly counter: string
  /** Keeps the rows of a table in its primary key, and nowhere else. */
  readonly byKey: string
  /** Locks rows that will be changed. */
  readonly forUpdate: string
  /** Locks rows that must stay as they are until the commit. */
  readonly forShare: string
  /** The index of words by which items are found. */
  readonly words: WordIndex
}

export const SQLITE: Dialect = {
  name: 'sqlite',
  counter: 'integer primary key autoincrement',
  byKey: ' without rowid',
  forUpdate: '',
  forShare: '',
  words: SQLITE_WORDS,
}

export const POSTGRES: Dialect = {
  name: 'postgres',
  counter: 'bigint generated always as identity primary key',
  byKey: '',
  forUpdate: ' for update',
  forShare: ' for share',
  words: POSTGRES_WORDS,
}
