import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../model/config.ts'
import { openSqlite } from '../store/sqlite/sqlite.ts'
import type { Store } from '../store/store.ts'
import { copiesIn, type Say } from '../store/upgrade/copies.ts'

/** How far an upgrade of the data is; `of` is null where nobody knows. */
export type UpgradeProgress = Say

interface Opening {
  readonly now: () => number
  readonly env: Readonly<Record<string, string | undefined>>
  /** The version of this Carrel. */
  readonly version: string
  /** The holder of this node's leases. */
  readonly holder: string
  readonly say: Say | undefined
}

/**
 * Opens the store of a data folder, which this process has locked. Older data is copied and upgraded.
 * @throws unavailable when that is refused, internal when it fails; then the data is as it was
 */
export async function openStore(config: Config, { now, env, version, holder, say }: Opening): Promise<Store> {
  const upgrade = { copies: copiesIn(config.dataFolder), copy: config.upgradeCopy, carrel: version }
  if (config.databaseUrl) {
    // Loaded only where it is used: the embedded engine starts without it.
    const { openPostgres } = await import('../store/postgres/postgres.ts')
    return await openPostgres({ url: config.databaseUrl, now, say, upgrade: { ...upgrade, holder, env } })
  }
  return await openSqlite({ path: databaseIn(config), now, say, upgrade })
}

export const databaseIn = ({ dataFolder }: Pick<Config, 'dataFolder'>): string => join(dataFolder, 'carrel.db')

/**
 * Refuses an embedded database of a newer Carrel before anything of that one is ended or swept away.
 * @throws unavailable
 */
export async function refuseNewer(config: Config): Promise<void> {
  const path = databaseIn(config)
  if (config.databaseUrl || !statSync(path, { throwIfNoEntry: false })?.size) return
  const { refuseNewerSqlite } = await import('../store/upgrade/sqlite-aside.ts')
  await refuseNewerSqlite(path)
}
