import { dirname } from 'node:path'
import type { Place } from '../../host/places/place.ts'
import { accessOf, hostsOf } from '../../host/sandbox/access.ts'
import type { SandboxSpec } from '../../host/sandbox/enclose.ts'
import type { AgentRecipe } from '../../model/agent.ts'
import { PACKAGE_ROOT } from '../../primitives/programs.ts'
import type { Basics, MachineFacts } from '../basics.ts'
import { compiledFolder } from './agent-directory.ts'
import type { AgentRooms } from './agent-rooms.ts'

export interface Confinement {
  readonly recipe: AgentRecipe
  readonly env: Readonly<Record<string, string>>
  readonly place: Place
  readonly mode: 'off' | 'guard' | 'strict'
  readonly hosts: readonly string[]
}

export type SandboxContext = Pick<Basics, 'config'> &
  Pick<MachineFacts, 'sandboxes' | 'home' | 'env'> &
  Pick<AgentRooms, 'agents'>

/** Returns the sandbox of a run, or null for none. @throws unavailable where this machine cannot enforce it: never less (F8) */
export async function sandboxFor(
  ctx: SandboxContext,
  { recipe, env, place, mode, hosts }: Confinement,
): Promise<SandboxSpec | null> {
  if (mode === 'off') return null
  await ctx.sandboxes.need(mode)
  const { config, home } = ctx
  const see = [PACKAGE_ROOT, dirname(process.execPath), compiledFolder(config, ctx.env)]
  const known = ctx.agents.recipes
  const access = accessOf({ recipe, known, env, home, dataFolder: config.dataFolder, see })
  const { path, root, outside } = place
  return {
    mode,
    hosts: mode === 'strict' ? hostsOf(recipe, env, hosts) : [],
    ...access,
    place: { path, root, outside },
  }
}
