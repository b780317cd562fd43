import type { SqlRow } from '../tx.ts'
import { sameRows } from './kept-rows.ts'
import type { Migration } from './migration.ts'
import { inOrder, parsed, settingsFindings } from './stored-json.ts'

const ROWS = {
  table: 'surroundings',
  key: ['workspace', 'scope'],
  columns: ['workspace', 'scope', 'settings', 'updated_at'],
}

/** The setting `browser` was a boolean before it became `own` or `none`. Only false was ever accepted. */
export const browsers: Migration = {
  name: '0010-browsers',
  summary: 'Writes "no browser" in environment settings as it is written now.',
  rewrites: () => ['surroundings'],
  steps: () => [`update surroundings set settings = replace(settings, '"browser":false', '"browser":"none"')`],
  keeps: () => [sameRows(ROWS, ROWS, { turn: withoutFalse, read: inOrder('settings') })],
  preflight: settingsFindings,
}

/** Returns the expected row after the migration, from parsed settings and not by text replacement. */
function withoutFalse(row: SqlRow): SqlRow {
  const settings = parsed(row.settings) as { browser?: unknown } | undefined
  if (settings?.browser !== false) return row
  return { ...row, settings: JSON.stringify({ ...settings, browser: 'none' }) }
}
