import { canonical } from '../../../model/canonical.ts'
import type { UpgradeFinding } from '../../../model/upgrade.ts'
import type { SqlRow, SqlValue, Tx } from '../tx.ts'
import { eachRow } from './kept-rows.ts'

/** Parses JSON text; undefined for invalid JSON. */
export function parsed(text: SqlValue | undefined): unknown {
  try {
    return JSON.parse(String(text))
  } catch {
    return undefined
  }
}

/** Returns a function that orders the keys of the JSON in a column, and leaves invalid JSON alone. */
export const inOrder =
  (column: string) =>
  (row: SqlRow): SqlRow => {
    const value = parsed(row[column])
    return value === undefined ? row : { ...row, [column]: canonical(value) }
  }

export async function settingsFindings(tx: Tx): Promise<UpgradeFinding[]> {
  const unread: string[] = []
  const rows = { table: 'surroundings', key: ['workspace', 'scope'], columns: ['settings'] }
  for await (const { workspace, scope, settings } of eachRow(tx, rows)) {
    if (parsed(settings) === undefined) unread.push(`${workspace}${scope ? `/${scope}` : ''}`)
  }
  if (unread.length === 0) return []
  return [
    {
      level: 'note',
      kind: 'misfit',
      text: `The environment settings of ${unread.slice(0, 5).join(', ')}${unread.length > 5 ? ` and ${unread.length - 5} more` : ''} are not JSON. The upgrade leaves them unchanged.`,
      next: 'Set them again after the upgrade.',
    },
  ]
}
