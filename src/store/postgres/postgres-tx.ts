import type { ClientBase, Pool, QueryConfig } from 'pg'
import { POSTGRES } from '../sql/dialect.ts'
import type { Tx, Value } from '../sql/tx.ts'

/** Statements that stay the same are prepared under these names, once for each connection. */
const names = new Map<string, string>()
/** Beyond this the texts are made of lists, and to prepare them all would only fill the server's memory. */
const MAX_NAMES = 500

function query(text: string, values: readonly Value[]): QueryConfig {
  let name = names.get(text)
  if (name === undefined && names.size < MAX_NAMES) {
    name = `carrel_${names.size}`
    names.set(text, name)
  }
  return name === undefined ? { text, values: [...values] } : { name, text, values: [...values] }
}

/** `Tx` over a connection of `pg`, or over its pool where a single statement needs no transaction. */
export function postgresTx(client: ClientBase | Pool): Tx {
  const send = (sql: string, values: readonly Value[]) => client.query(query(sql, values))
  return {
    dialect: POSTGRES,
    all: async <R>(sql: string, ...values: Value[]) => (await send(sql, values)).rows as R[],
    get: async <R>(sql: string, ...values: Value[]) => (await send(sql, values)).rows[0] as R | undefined,
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
