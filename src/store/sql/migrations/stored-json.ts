import type { UpgradeFinding } from '../../../model/upgrade.ts'
import type { Tx, Value } from '../tx.ts'
import { eachRow } from './kept-rows.ts'

/** A JSON text as a value; undefined where it is none. */
export function parsed(text: Value | undefined): unknown {
  try {
    return JSON.parse(String(text))
  } catch {
    return undefined
  }
}

/** Environment settings that are no JSON: they stay as they are, and are said. */
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
      text: `The environment settings of ${unread.slice(0, 5).join(', ')}${unread.length > 5 ? ` and ${unread.length - 5} more` : ''} are no JSON; the upgrade leaves them as they are.`,
      next: 'Set them again after the upgrade.',
    },
  ]
}
