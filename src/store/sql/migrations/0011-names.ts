import type { SqlRow as Row } from '../tx.ts'
import { type RowsOf, sameRows } from './kept-rows.ts'
import type { Migration } from './migration.ts'
import { inOrder, parsed } from './stored-json.ts'

const settingsOf = (table: string): RowsOf => ({
  table,
  key: ['workspace', 'scope'],
  columns: ['workspace', 'scope', 'settings', 'updated_at'],
})
const RULES = { table: 'spaces', key: ['id'], columns: ['id', 'file_rules'], where: 'file_rules is not null' }
const DRIVERS = { table: 'projects', key: ['id'], columns: ['id', 'place_driver'], where: 'place_driver is not null' }

/** Stored names that were renamed. A quotation mark inside of a JSON text has a backslash, so only the key is replaced. */
export const names: Migration = {
  name: '0011-names',
  summary: 'Renames the table of environment settings, a field of file rules and a driver of working copies.',
  rewrites: () => ['spaces', 'projects'],
  steps: () => [
    'alter table surroundings rename to environment',
    `update spaces set file_rules = replace(file_rules, '"contention":', '"paths":') where file_rules is not null`,
    `update projects set place_driver = 'reflink' where place_driver = 'reflink copy'`,
  ],
  keeps: () => [
    sameRows(settingsOf('surroundings'), settingsOf('environment')),
    sameRows(RULES, RULES, { turn: withPaths, read: inOrder('file_rules') }),
    sameRows(DRIVERS, DRIVERS, {
      turn: (row) => (row.place_driver === 'reflink copy' ? { ...row, place_driver: 'reflink' } : row),
    }),
  ],
}

/** Finds the field by reading the rules, not by replacing text. */
function withPaths(row: Row): Row {
  const rules = parsed(row.file_rules) as { contention?: unknown } | null | undefined
  if (typeof rules !== 'object' || rules === null || !Object.hasOwn(rules, 'contention')) return row
  const { contention, ...rest } = rules
  return { ...row, file_rules: JSON.stringify({ ...rest, paths: contention }) }
}
