import { statSync } from 'node:fs'
import { join } from 'node:path'
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
}

/**
 * Opens the store of a data folder that this process has locked. Copies and upgrades older data.
 * @throws unavailable when the upgrade is refused, internal when it fails; then the data is unchanged
 */
export async function openStore(config: Config, { now, env, version, holder, say }: Opening): Promise<Store> {
  const upgrade = { copies: copiesIn(config.dataFolder), copy: config.upgradeCopy, carrel: version }
  if (config.databaseUrl) {
    // Loaded on demand: the embedded engine starts without it.
    const { openPostgres } = await import('../store/postgres/postgres.ts')
    return await openPostgres({ url: config.databaseUrl, now, say, upgrade: { ...upgrade, holder, env } })
  }
  return await openSqlite({ path: databaseIn(config), now, say, upgrade })
}

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
