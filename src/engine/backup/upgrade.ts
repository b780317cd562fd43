import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../model/settings/config.ts'
import type { ReportProgress, UpgradeReport } from '../../model/upgrade.ts'
import { absentAsNullSync } from '../../primitives/absent-as-null.ts'
import { lockFolder } from '../../store/sqlite/lock.ts'
import { copiesIn, listCopies } from '../../store/upgrade/copies.ts'
import type { BackDone, BackPreview } from '../../store/upgrade/loss.ts'
import { NODE_FILE } from '../data-folder.ts'
import { databaseIn } from '../store-opening.ts'

/** The inputs of an upgrade command. The commands need no running Carrel. */
export interface UpgradeAsk {
  readonly config: Config
  readonly version: string
  readonly now: number
  readonly env: Readonly<Record<string, string | undefined>>
  readonly say: ReportProgress
}

/** Checks the present data for an upgrade. Changes nothing. @throws unavailable for unreadable or newer data */
export async function checkUpgrade(ask: UpgradeAsk): Promise<UpgradeReport> {
  const { config, say } = ask
  if (config.databaseUrl) {
    const { checkPostgres } = await import('../../store/postgres/postgres-check.ts')
    return await checkPostgres(postgresOf(ask, config.databaseUrl))
  }
  const { checkSqlite } = await import('../../store/sqlite/sqlite-check.ts')
  return await checkSqlite({ ...optionsOf(ask), path: databaseIn(config), say })
}

/** Lists the copies in the data folder, newest first, and the entries that are not readable copies. */
export function upgradeCopies({ dataFolder }: Pick<Config, 'dataFolder'>) {
  const folder = copiesIn(dataFolder)
  return { folder, ...listCopies(folder) }
}

/**
 * Checks a copy and counts the rows written since then. Changes nothing.
 * @throws not_found for an unknown copy, unavailable for a copy that changed or cannot be used here
 */
export async function previewBack(ask: UpgradeAsk, name: string): Promise<BackPreview> {
  const { config, say } = ask
  if (config.databaseUrl) {
    const { previewBackPostgres } = await import('../../store/postgres/postgres-back.ts')
    return await previewBackPostgres({ ...postgresOf(ask, config.databaseUrl), name })
  }
  const { previewBackSqlite } = await import('../../store/sqlite/sqlite-back.ts')
  return await previewBackSqlite({ path: databaseIn(config), copies: copiesIn(config.dataFolder), name, say })
}

/**
 * Replaces the data with a copy, and saves the present data as a copy first.
 * @throws as `previewBack`, and unavailable while another process or node uses the data; then nothing was changed
 */
export async function goBack(ask: UpgradeAsk, name: string): Promise<BackDone> {
  const { config } = ask
  const lock = await lockFolder(config.dataFolder)
  try {
    if (config.databaseUrl) {
      const { backPostgres } = await import('../../store/postgres/postgres-back.ts')
      return await backPostgres({ ...postgresOf(ask, config.databaseUrl), name })
    }
    const { backSqlite } = await import('../../store/sqlite/sqlite-back.ts')
    const { now, version, say } = ask
    const copies = copiesIn(config.dataFolder)
    return await backSqlite({ path: databaseIn(config), copies, name, now, carrel: version, say })
  } finally {
    lock.release()
  }
}

const optionsOf = ({ config, version }: UpgradeAsk) => ({
  copies: copiesIn(config.dataFolder),
  copy: config.upgradeCopy,
  carrel: version,
})

const postgresOf = (ask: UpgradeAsk, url: string) => ({
  url,
  schema: 'public',
  now: ask.now,
  say: ask.say,
  options: { ...optionsOf(ask), holder: holderOf(ask.config.dataFolder), env: ask.env },
})

/** Returns the holder name of this node's leases; null in a folder that no node has used. */
function holderOf(dataFolder: string): string | null {
  const node = absentAsNullSync(() => readFileSync(join(dataFolder, NODE_FILE), 'utf8'))
  return node === null ? null : `node:${node.trim()}`
}
