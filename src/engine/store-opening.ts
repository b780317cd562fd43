import { statSync } from 'node:fs'
import { join } from 'node:path'
import { CarrelError } from '../model/errors.ts'
import type { Config } from '../model/settings/config.ts'
import type { ReportProgress } from '../model/upgrade.ts'
import { isPresent } from '../primitives/absent-as-null.ts'
import { openSqlite } from '../store/sqlite/sqlite.ts'
import type { Store } from '../store/store.ts'
import { copiesIn } from '../store/upgrade/copies.ts'

interface Opening {
  readonly now: () => number
  readonly env: Readonly<Record<string, string | undefined>>
  readonly version: string
  /** The holder of this node's leases. */
  readonly holder: string
  readonly say: ReportProgress | undefined
  readonly isPaused: boolean
}

/**
 * Opens the store of a data folder that this process has locked. Copies and upgrades older data.
 * @throws unavailable when the upgrade is refused, internal when it fails, paused where a paused data folder would
 *   upgrade a database that another one may use; then the data is unchanged
 */
export async function openStore(config: Config, { now, env, version, holder, say, isPaused }: Opening): Promise<Store> {
  const upgrade = { copies: copiesIn(config.dataFolder), copy: config.upgradeCopy, carrel: version }
  if (config.databaseUrl) {
    // Loaded on demand: the embedded engine starts without it.
    const { openPostgres } = await import('../store/postgres/postgres.ts')
    const refusal = isPaused ? new CarrelError('paused', NO_UPGRADE) : null
    return await openPostgres({ url: config.databaseUrl, now, say, upgrade: { ...upgrade, holder, env, refusal } })
  }
  return await openSqlite({ path: databaseIn(config), now, say, upgrade })
}

const NO_UPGRADE =
  'This data folder is paused, and its database has an older schema, which the other Carrel may use. Upgrade by a start of the other one. If this one goes on instead, remove `binding.json` from this data folder.'

export const databaseIn = ({ dataFolder }: Pick<Config, 'dataFolder'>): string => join(dataFolder, 'carrel.db')

/** Changes the folders of blank Spaces in an embedded database to those in the present data folder. Safe to repeat. */
export async function moveBlankFolders(config: Config, from: string, to: string): Promise<void> {
  if (config.databaseUrl || !isPresent(databaseIn(config))) return
  const { moveBlankSpaces } = await import('../store/sqlite/sqlite-copy.ts')
  await moveBlankSpaces(databaseIn(config), from, to)
}

/**
 * Refuses an embedded database of a newer Carrel, before this one ends its processes or removes its files.
 * @throws unavailable
 */
export async function refuseNewer(config: Config): Promise<void> {
  const path = databaseIn(config)
  if (config.databaseUrl || !statSync(path, { throwIfNoEntry: false })?.size) return
  const { refuseNewerSqlite } = await import('../store/sqlite/sqlite-aside.ts')
  await refuseNewerSqlite(path)
}
