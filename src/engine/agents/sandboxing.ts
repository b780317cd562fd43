import { dirname } from 'node:path'
import type { Place } from '../../host/places/place.ts'
import { accessOf, hostsOf } from '../../host/sandbox/access.ts'
import type { Sandbox } from '../../host/sandbox/enclose.ts'
import type { AgentRecipe } from '../../model/agent.ts'
import { PACKAGE_ROOT } from '../../primitives/programs.ts'
import type { Context } from '../context.ts'
import { compiledFolder } from './agent-directory.ts'

/** A run, as far as it matters for what it is kept in. */
export interface Kept {
  readonly recipe: AgentRecipe
  readonly env: Readonly<Record<string, string>>
  readonly place: Place
  readonly mode: 'off' | 'guard' | 'strict'
  /** Of the Space, for a strict one. */
  readonly hosts: readonly string[]
}

/** What a run is kept in; null for nothing. @throws unavailable where this machine cannot make it: never less (F8) */
export async function sandboxFor(ctx: Context, { recipe, env, place, mode, hosts }: Kept): Promise<Sandbox | null> {
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
