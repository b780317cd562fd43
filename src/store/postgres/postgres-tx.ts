import type { ClientBase, Pool, QueryConfig } from 'pg'
import { POSTGRES } from '../sql/dialect.ts'
import type { SqlValue, Tx } from '../sql/tx.ts'

/** Names of prepared statements, by text. Postgres prepares each once for each connection. */
const names = new Map<string, string>()
/** Most prepared statements: texts with lists of varying length would only fill the server's memory. */
const MAX_NAMES = 500

function query(text: string, values: readonly SqlValue[]): QueryConfig {
  let name = names.get(text)
  if (name === undefined && names.size < MAX_NAMES) {
    name = `carrel_${names.size}`
    names.set(text, name)
  }
  return name === undefined ? { text, values: [...values] } : { name, text, values: [...values] }
}

/** Creates a `Tx` over a connection of `pg`, or over its pool for single statements outside of a transaction. */
export function postgresTx(client: ClientBase | Pool): Tx {
  const send = (sql: string, values: readonly SqlValue[]) => client.query(query(sql, values))
  return {
    dialect: POSTGRES,
    all: async <R>(sql: string, ...values: SqlValue[]) => (await send(sql, values)).rows as R[],
    get: async <R>(sql: string, ...values: SqlValue[]) => (await send(sql, values)).rows[0] as R | undefined,
    run: async (sql, ...values) => (await send(sql, values)).rowCount ?? 0,
    async insertMany(table, columns, rows, conflict = '') {
      if (rows.length === 0) return
      const types = Object.values(columns)
      const list = Object.keys(columns).join(', ')
      const arrays = types.map((type, index) => `$${index + 1}::${type}[]`).join(', ')
      const text = `insert into ${table} (${list}) select * from unnest(${arrays}) ${conflict}`
      const { name } = query(text, [])
      const values = types.map((_, column) => rows.map((row) => row[column] ?? null))
      await client.query(name === undefined ? { text, values } : { name, text, values })
    },
    lines: [],
    rings: [],
  }
}
