import { canonical } from '../../../model/canonical.ts'
import type { Row } from '../tx.ts'
import { sameRows } from './kept-rows.ts'
import type { Migration } from './migration.ts'
import { parsed, settingsFindings } from './stored-json.ts'

const ROWS = {
  table: 'surroundings',
  key: ['workspace', 'scope'],
  columns: ['workspace', 'scope', 'settings', 'updated_at'],
}

/** Whether runs have a browser was yes or no before it was `own` or `none`; yes was never taken. */
export const browsers: Migration = {
  name: '0010-browsers',
  summary: 'Writes "no browser" in environment settings as it is written now.',
  rewrites: () => ['surroundings'],
  steps: () => [`update surroundings set settings = replace(settings, '"browser":false', '"browser":"none"')`],
  keeps: () => [sameRows(ROWS, ROWS, { turn: withoutFalse, read: inOrder })],
  preflight: settingsFindings,
}

/** The row as it is to be afterwards, found by reading its settings and not by replacing text. */
function withoutFalse(row: Row): Row {
  const settings = parsed(row.settings) as { browser?: unknown } | undefined
  if (settings?.browser !== false) return row
  return { ...row, settings: JSON.stringify({ ...settings, browser: 'none' }) }
}

function inOrder(row: Row): Row {
  const settings = parsed(row.settings)
  return settings === undefined ? row : { ...row, settings: canonical(settings) }
}
