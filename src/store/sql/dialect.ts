import { POSTGRES_WORDS, SQLITE_WORDS, type WordIndex } from './search/word-index.ts'

/**
 * The SQL that differs between the two engines. SQLite has one writer at a time, so its rows need no locks.
 * Bulk inserts differ too: each engine implements `Tx.insertMany`.
 */
export interface Dialect {
  readonly name: 'sqlite' | 'postgres'
  readonly counter: string
  /** Stores the rows of a table in its primary key index only. */
  readonly byKey: string
  /** Locks rows that will change. */
  readonly forUpdate: string
  /** Locks rows that must not change until the commit. */
  readonly forShare: string
  /** Selects `name`, `kind` (`table`, `index` or another) and `owner` (the table of an index) of each relation. */
  readonly relations: string
  /** Selects `owner` and `name` of each column of each table of the schema. */
  readonly columns: string
  /** Lets an insert set an auto-increment key. */
  readonly settingCounters: string
  readonly words: WordIndex
}

export const SQLITE: Dialect = {
  name: 'sqlite',
  counter: 'integer primary key autoincrement',
  byKey: ' without rowid',
  forUpdate: '',
  forShare: '',
  relations: 'select lower(name) as name, type as kind, lower(tbl_name) as owner from sqlite_schema',
  columns: `select lower(t.name) as owner, lower(c.name) as name from sqlite_schema t, pragma_table_info(t.name) c
    where t.type = 'table'`,
  settingCounters: '',
  words: SQLITE_WORDS,
}

export const POSTGRES: Dialect = {
  name: 'postgres',
  counter: 'bigint generated always as identity primary key',
  byKey: '',
  forUpdate: ' for update',
  forShare: ' for share',
  relations: `select c.relname as name, case c.relkind when 'r' then 'table' when 'i' then 'index' else 'other' end as kind,
      coalesce(t.relname, c.relname) as owner
    from pg_class c left join pg_index i on i.indexrelid = c.oid left join pg_class t on t.oid = i.indrelid
    where c.relnamespace = (select oid from pg_namespace where nspname = current_schema())`,
  columns: `select table_name as owner, column_name as name from information_schema.columns
    where table_schema = current_schema()`,
  settingCounters: 'overriding system value',
  words: POSTGRES_WORDS,
}
