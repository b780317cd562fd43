import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type AgentConnection,
  type AgentLaunch,
  connectAgent,
  leftBehind,
  resumeAgent,
} from '../../host/agent/agent.ts'
import type { Cgroups } from '../../host/cgroups/cgroups.ts'
import { dropKeeper, endKeeper, type findKeepers } from '../../host/keeper/client.ts'
import type { Containment } from '../../host/process/containment.ts'
import { ownPathsOf } from '../../host/sandbox/access.ts'
import type { Config } from '../../model/settings/config.ts'
import type { Vault } from '../vault.ts'
import { compiledFolder } from './agent-directory.ts'
import type { AgentPoolOptions } from './agent-pool.ts'
import type { AgentNeed } from './agent-slot.ts'
import { readyHome } from './homes.ts'
import type { Logins } from './logins.ts'

export interface LauncherParts {
  readonly config: Config
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
  readonly now: () => number
  readonly version: string
  readonly containment: Containment
  readonly cgroups: Cgroups
  readonly vault: Vault
  readonly logins: Logins
  readonly earlier: {
    readonly agents: Awaited<ReturnType<typeof findKeepers>>
    readonly keepers: string
    readonly ledger: string
  }
}

export function createAgentLauncher(
  parts: LauncherParts,
): Pick<AgentPoolOptions, 'connect' | 'resume' | 'end' | 'remove'> {
  const { cgroups, logins, earlier } = parts
  return {
    async connect(need, signal) {
      const cgroup = need.limits ? await cgroups.need(need.limits) : null
      const launch = { ...(await launchOf(parts, need, signal)), cgroup }
      const ownHome = need.home ? (need.env.HOME ?? null) : null
      return await logins.around<AgentConnection>(need.recipe, ownHome, () => connectAgent(launch), signal)
    },
    resume: async (keeper, need) =>
      await resumeAgent(keeper, await launchOf(parts, need, new AbortController().signal)),
    async end(keeper) {
      const note = earlier.agents.find((each) => each.keeper === keeper)?.note
      if (note) await endKeeper(note)
      return leftBehind(join(earlier.keepers, keeper))
    },
    remove: (keeper) => dropKeeper(earlier, keeper),
  }
}

async function launchOf(parts: LauncherParts, need: AgentNeed, signal: AbortSignal): Promise<AgentLaunch> {
  const { config, env, home, now, version, containment, vault, earlier } = parts
  const { recipe, program, workspace, place, sandbox = null } = need
  const logFolder = join(config.dataFolder, 'logs', 'agents', recipe.id)
  await mkdir(logFolder, { recursive: true })
  if (need.home) await readyHome(config.dataFolder, need.home, { home, path: env.PATH ?? '' })
  return {
    id: recipe.id,
    name: recipe.name,
    command: program,
    args: recipe.args,
    env: need.env,
    cwd: config.dataFolder,
    enter: place?.enter ?? [],
    containment,
    sandbox,
    ownPaths: ownPathsOf({ recipe, env: need.env, home, dataFolder: config.dataFolder }),
    ledger: earlier.ledger,
    keepers: earlier.keepers,
    compiled: compiledFolder(config, env),
    graceMs: config.outliveMs,
    logFolder,
    hide: vault.known(workspace),
    clientName: 'carrel',
    clientVersion: version,
    login: recipe.login,
    install: recipe.install,
    initializeTimeoutMs: config.agentStartMs,
    signal,
    now,
  }
}
