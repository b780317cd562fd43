/** One effect of a migration's statement on the relations of a schema. */
export type Effect =
  | { readonly kind: 'makes'; readonly what: 'table' | 'index'; readonly name: string; readonly table: string }
  | { readonly kind: 'adds column'; readonly table: string; readonly name: string }
  | { readonly kind: 'renames'; readonly table: string; readonly to: string }
  | { readonly kind: 'drops'; readonly table: string }
  | { readonly kind: 'drops index'; readonly name: string }
  | { readonly kind: 'writes'; readonly table: string }
  /** A unique index on the named columns of a table. */
  | { readonly kind: 'wants unique'; readonly table: string; readonly columns: string; readonly where: string | null }

/** Suffixes of the tables that FTS5 creates beside a virtual table. */
const SHADOWS = ['_data', '_idx', '_docsize', '_config']

/**
 * Returns the effects of a migration's statement on tables and indexes, in order.
 * @throws Error for a new kind of statement, which has to be added here
 */
export function effectsOf(sql: string): Effect[] {
  const text = sql.replace(/\s+/g, ' ').trim()
  const [, virtual, table] = /^create (virtual )?table (?:if not exists )?(\w+)/.exec(text) ?? []
  if (table !== undefined) {
    const names = virtual ? [table, ...SHADOWS.map((ending) => `${table}${ending}`)] : [table]
    return names.map((name) => ({ kind: 'makes', what: 'table', name, table: name }))
  }
  const index = /^create (unique )?index (\w+) on (\w+) (?:using \w+ )?\(([^)]*)\)(?: where (.*))?$/.exec(text)
  if (index) {
    const [, unique, name = '', on = '', columns = '', where = null] = index
    const made: Effect = { kind: 'makes', what: 'index', name, table: on }
    return unique ? [{ kind: 'wants unique', table: on, columns, where }, made] : [made]
  }
  const [, from, to] = /^alter table (\w+) rename to (\w+)$/.exec(text) ?? []
  if (from !== undefined && to !== undefined) return [{ kind: 'renames', table: from, to }]
  const [, altered, column] = /^alter table (\w+) add column (\w+)/.exec(text) ?? []
  if (altered !== undefined && column !== undefined) return [{ kind: 'adds column', table: altered, name: column }]
  const [, unindexed] = /^drop index (\w+)$/.exec(text) ?? []
  if (unindexed !== undefined) return [{ kind: 'drops index', name: unindexed }]
  const [, dropped] = /^drop table (\w+)$/.exec(text) ?? []
  if (dropped !== undefined) return [{ kind: 'drops', table: dropped }]
  const [, written] = /^(?:insert into|update) (\w+)/.exec(text) ?? []
  if (written !== undefined) return [{ kind: 'writes', table: written }]
  throw new Error(`A migration has a statement of an unknown kind: ${text.slice(0, 80)}`)
}

export interface Catalog {
  readonly relations: readonly { readonly name: string; readonly kind: string; readonly owner: string }[]
  readonly columns: readonly { readonly owner: string; readonly name: string }[]
}

export interface Collision {
  readonly what: 'table' | 'index' | 'column'
  readonly name: string
  readonly table: string
}

/** Simulates effects on a catalog. Returns relations and columns that would be created over existing ones. */
export function findCollisions(catalog: Catalog, effects: readonly Effect[]): Collision[] {
  const relations = new Map(catalog.relations.map(({ name, owner }) => [name, owner]))
  const columns = new Set(catalog.columns.map(({ owner, name }) => `${owner}.${name}`))
  const collisions: Collision[] = []
  for (const effect of effects) {
    if (effect.kind === 'drops index') {
      relations.delete(effect.name)
      continue
    }
    const { kind, table } = effect
    if (kind === 'makes') {
      if (relations.has(effect.name)) collisions.push({ what: effect.what, name: effect.name, table })
      relations.set(effect.name, table)
    } else if (kind === 'adds column') {
      if (columns.has(`${table}.${effect.name}`)) collisions.push({ what: 'column', name: effect.name, table })
    } else if (kind === 'drops') {
      for (const [name, owner] of relations) if (owner === table) relations.delete(name)
    } else if (kind === 'renames') {
      const own = [...relations].filter(([, owner]) => owner === table)
      for (const [name] of own) relations.delete(name)
      for (const [name] of own) relations.set(name === table ? effect.to : name, effect.to)
    }
  }
  return collisions
}

/** Returns the existing tables that effects lock or remove, by name. Nobody uses tables created by them yet. */
export function findLocked(effects: readonly Effect[]): string[] {
  const made = new Set<string>()
  const locked = new Set<string>()
  for (const effect of effects) {
    // Its table is named by the statement that creates the index again.
    if (effect.kind === 'drops index') continue
    if (effect.kind === 'makes' && effect.what === 'table') made.add(effect.name)
    else if (!made.has(effect.table)) locked.add(effect.table)
    if (effect.kind === 'renames') made.add(effect.to)
  }
  return [...locked].sort()
}
