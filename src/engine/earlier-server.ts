import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { dropOthers as dropOtherBrowsers, findBrowsers } from '../host/browsers/browser.ts'
import { dropDoors } from '../host/browsers/door.ts'
import { dropOthers as dropOtherKeepers, findKeepers } from '../host/keeper/client.ts'
import { sweepLedger } from '../host/process/ledger.ts'
import type { Config } from '../model/settings/config.ts'
import { browsersFolder } from './browsers/browsers.ts'

/** The result of `sweepEarlierServer` for a folder whose processes belong to the folder that it was copied from. */
export function leaveEarlierServer({ dataFolder }: Config): Awaited<ReturnType<typeof sweepEarlierServer>> {
  const none = { agents: [], rejoins: false, browsers: [] }
  return { ledger: ledgerIn(dataFolder), keepers: keepersIn(dataFolder), ...none }
}

/**
 * Ends everything that an earlier server left running (P1), but for agents and browsers that were to survive it. The
 * spools of all agents stay: they may hold messages that no log has (L11).
 */
export async function sweepEarlierServer(config: Config, rejoins: boolean) {
  const ledger = ledgerIn(config.dataFolder)
  await mkdir(ledger, { recursive: true })
  const keepers = keepersIn(config.dataFolder)
  const agents = await findKeepers(keepers)
  const rejoinable = rejoins ? agents : []
  const folder = browsersFolder(config)
  const browsers = rejoins ? await findBrowsers({ folder }) : []
  const notes = [...rejoinable.map(({ note }) => note), ...browsers.map(({ trees }) => trees)]
  await sweepLedger(ledger, new Set(notes.flatMap(({ keeper, agent }) => [keeper.tree, agent.tree])))
  await dropOtherKeepers({ keepers, ledger }, new Set(agents.map(({ keeper }) => keeper)))
  await dropOtherBrowsers({ folder, ledger }, browsers)
  if (rejoinable.length === 0) await dropDoors(folder)
  return { ledger, keepers, agents, rejoins, browsers }
}

const ledgerIn = (dataFolder: string) => join(dataFolder, 'processes')
const keepersIn = (dataFolder: string) => join(dataFolder, 'keepers')
