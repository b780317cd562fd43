import { join } from 'node:path'
import { allAgents, detectAgents, findProgram } from '../../host/agent/known-agents.ts'
import { homeVariables } from '../../host/identity/homes.ts'
import { allowedEnv, machinePath } from '../../host/process/environment.ts'
import type { AgentRecipe, AgentStatus } from '../../model/agent.ts'
import { CarrelError } from '../../model/errors.ts'
import type { Config } from '../../model/settings/config.ts'
import { createLazy } from '../../primitives/lazy.ts'
import { PACKAGE_ROOT } from '../../primitives/programs.ts'

/** The known agents, and how to start each. */
export interface AgentDirectory {
  list(): Promise<AgentStatus[]>
  readonly recipes: readonly AgentRecipe[]
  /** Returns a recipe and the path of its program. @throws bad_input for an unknown agent, unavailable for one that is not installed */
  resolve(id: string): Promise<{ recipe: AgentRecipe; program: string }>
  /**
   * Returns the whole environment of an agent process (P3): an allow-list, and `given`, which wins. With `home`, the path
   * of a home that Carrel keeps, no variable leads the agent to the person's home; null for the person's.
   */
  environment(recipe: AgentRecipe, home: string | null, given: Readonly<Record<string, string>>): Record<string, string>
  defaultAgent(): Promise<string>
  known(id: string): boolean
}

/** Age at which the list of installed agents is read again, so that a new installation shows up. ms. */
const MAX_AGE_MS = 30_000

interface Options {
  readonly config: Config
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
  readonly now: () => number
}

/**
 * Returns Node's compile cache for child processes: the one of this process, or a folder in the data folder. Without a
 * cache each start takes twice as long and 30 MB more.
 */
export const compiledFolder = (config: Config, env: Readonly<Record<string, string | undefined>>): string =>
  env.NODE_COMPILE_CACHE ?? join(config.dataFolder, 'compiled')

export function createAgentDirectory({ config, env, home, now }: Options): AgentDirectory {
  // Agents get the person's PATH, without the folder of Carrel's own Node in front.
  const path = machinePath(env.PATH ?? '', PACKAGE_ROOT)
  const source = { ...env, PATH: path }
  const recipes = allAgents(config.agents, compiledFolder(config, env))
  let detectedAt = Number.NEGATIVE_INFINITY
  const detected = createLazy<AgentStatus[]>(() => {
    detectedAt = now()
    return detectAgents(recipes, { path, home })
  })
  return {
    list() {
      if (now() - detectedAt > MAX_AGE_MS) detected.forget()
      return detected.get()
    },
    recipes,
    known: (id) => recipes.some((each) => each.id === id),
    resolve: async (id) => resolveIn(recipes, id, path),
    environment(recipe, own, given) {
      const passed =
        own === null ? recipe.passEnv : recipe.passEnv.filter((name) => !recipe.ownPaths.includes(`$${name}/`))
      const base = allowedEnv(source, passed, { ...recipe.env, ...given })
      if (own !== null) return { ...homeVariables(own), ...base, HOME: own }
      // The bundled agent keeps its memory in the data folder, not in the person's home.
      if (recipe.id === 'scripted') base.CARREL_SCRIPTED_HOME ??= join(config.dataFolder, 'scripted-agent')
      return base
    },
    async defaultAgent() {
      if (config.defaultAgent !== null) return config.defaultAgent
      const installed = recipes.filter((each) => findProgram(each.command, path) !== null)
      return (installed.find((each) => each.id !== 'scripted') ?? installed[0])?.id ?? 'scripted'
    },
  }
}

function resolveIn(recipes: readonly AgentRecipe[], id: string, path: string) {
  const recipe = recipes.find((each) => each.id === id)
  if (!recipe) {
    const names = recipes.map((each) => each.id).join(', ')
    const message = `There is no agent ${id}. Known agents: ${names}. Add others to config.json under "agents".`
    throw new CarrelError('bad_input', message, { agent: id })
  }
  // Checks the presence only: asking every agent for its version would delay the first prompt.
  const program = findProgram(recipe.command, path)
  if (program !== null) return { recipe, program }
  const next = recipe.install ? `Install it: ${recipe.install}` : `Put ${recipe.command} on the PATH.`
  throw new CarrelError('unavailable', `${recipe.name} is not installed on this machine. ${next}`, { agent: id, next })
}
