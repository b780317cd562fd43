import type { Dialect } from '../dialect.ts'
import type { Tx } from '../tx.ts'
import type { Migration } from './migration.ts'
import { type Catalog, type Effect, effectsOf } from './statements.ts'

/** Returns the effects of the statements of migrations, in order. A step that is a function has none. */
export function effectsOfAll(migrations: readonly Migration[], dialect: Dialect): Effect[] {
  return migrations.flatMap(({ steps }) =>
    steps(dialect).flatMap((step) => (typeof step === 'string' ? effectsOf(step) : [])),
  )
}

export function tablesAfter(migrations: readonly Migration[], dialect: Dialect): string[] {
  const tables = new Set(['schema_versions'])
  for (const effect of effectsOfAll(migrations, dialect)) {
    if (effect.kind === 'makes' && effect.what === 'table') tables.add(effect.name)
    if (effect.kind === 'drops' || effect.kind === 'renames') tables.delete(effect.table)
    if (effect.kind === 'renames') tables.add(effect.to)
  }
  return [...tables].filter(isCounted).sort()
}

export async function readCatalog(tx: Tx): Promise<Catalog> {
  const relations = await tx.all<{ name: string; kind: string; owner: string }>(tx.dialect.relations)
  const columns = await tx.all<{ owner: string; name: string }>(tx.dialect.columns)
  return { relations, columns }
}

/** Excludes the word index, which is derived from other rows, and internal tables of SQLite. */
const isCounted = (table: string): boolean => !/^(sqlite_|item_words)/.test(table)

export async function countRows(tx: Tx, only?: readonly string[]): Promise<Record<string, number>> {
  const { relations } = await readCatalog(tx)
  const tables = relations.flatMap(({ name, kind }) => (kind === 'table' && isCounted(name) ? [name] : []))
  const counts: Record<string, number> = {}
  for (const name of tables.filter((each) => only?.includes(each) ?? true).sort())
    counts[name] = (await tx.get<{ n: number }>(`select count(*) as n from "${name}"`))?.n ?? 0
  return counts
}
