import type { UpgradeFinding } from '../../../model/upgrade.ts'
import type { Tx } from '../tx.ts'
import { effectsOfAll, readCatalog } from './catalog.ts'
import type { Migration } from './migration.ts'
import { type Catalog, type Effect, findCollisions } from './statements.ts'

/**
 * Checks the data for rows and names on which `pending` migrations would fail. Changes nothing.
 * @returns name collisions, duplicates where a unique index will be created, and rows that do not fit
 */
export async function preflight(tx: Tx, pending: readonly Migration[]): Promise<UpgradeFinding[]> {
  const catalog = await readCatalog(tx)
  const effects = effectsOfAll(pending, tx.dialect)
  const findings = collisionFindings(catalog, effects)
  // Rows are checked only without collisions: on unexpected tables a query would fail.
  if (findings.length > 0) return findings
  findings.push(...(await duplicateFindings(tx, catalog, effects)))
  const tables = new Set(catalog.relations.map(({ name }) => name))
  for (const { preflight: check, rewrites } of pending) {
    const complete = (rewrites?.(tx.dialect) ?? []).every((table) => tables.has(table))
    if (complete) findings.push(...((await check?.(tx)) ?? []))
  }
  return findings
}

function collisionFindings(catalog: Catalog, effects: readonly Effect[]): UpgradeFinding[] {
  return findCollisions(catalog, effects).map(({ what, name, table }) => ({
    level: 'block',
    kind: 'collision',
    text: `The upgrade creates the ${what} ${name}${what === 'table' ? '' : ` of ${table}`}, but the database already has a foreign one of that name.`,
    next: `Rename or remove that ${what}, then try again.`,
  }))
}

/** Most duplicates in a finding. */
const SHOWN = 3

async function duplicateFindings(tx: Tx, catalog: Catalog, effects: readonly Effect[]): Promise<UpgradeFinding[]> {
  const tables = new Set(catalog.relations.map(({ name }) => name))
  const unique = new Set(catalog.relations.map(({ name, owner }) => `${owner}.${name}`))
  const findings: UpgradeFinding[] = []
  for (const [index, effect] of effects.entries()) {
    if (effect.kind !== 'wants unique' || !tables.has(effect.table)) continue
    const next = effects[index + 1]
    // A recreated index was unique before.
    if (next?.kind === 'makes' && unique.has(`${effect.table}.${next.name}`)) continue
    const { table, columns, where } = effect
    const rows = await tx.all(
      `select ${columns}, count(*) as times from ${table} where ${where ?? '1 = 1'} group by ${columns} having count(*) > 1 limit ${SHOWN}`,
    )
    if (rows.length === 0) continue
    const shown = rows.map((row) =>
      columns
        .split(', ')
        .map((column) => row[column])
        .join(', '),
    )
    findings.push({
      level: 'block',
      kind: 'duplicate',
      text: `The table ${table} has several rows with the same ${columns} (${shown.join('; ')}), and the upgrade needs them to be unique.`,
      next: 'Remove the duplicate rows, then try again.',
    })
  }
  return findings
}
