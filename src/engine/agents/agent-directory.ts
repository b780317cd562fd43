import { join } from 'node:path'
import { allAgents, detectAgents, findProgram } from '../../host/agent/known-agents.ts'
import { homeVariables } from '../../host/identity/homes.ts'
import { allowedEnv, machinePath } from '../../host/process/environment.ts'
import type { AgentRecipe, AgentStatus } from '../../model/agent.ts'
import type { Config } from '../../model/config.ts'
import { CarrelError } from '../../model/errors.ts'
import { createLazy } from '../../primitives/lazy.ts'
import { PACKAGE_ROOT } from '../../primitives/programs.ts'

/** The agents there are, and how to start each. */
export interface AgentDirectory {
  list(): Promise<AgentStatus[]>
  /** All that are known, whether this machine has them or not. */
  readonly recipes: readonly AgentRecipe[]
  /** The recipe and the program it would start. @throws bad_input for an unknown agent, unavailable for one that is not installed */
  resolve(id: string): Promise<{ recipe: AgentRecipe; program: string }>
  /**
   * A child's whole environment (P3): an allow-list, and the values it is given, which win. With a home of Carrel's nothing of the
   * server's own leads an agent to the person's.
   */
  environment(recipe: AgentRecipe, home: string | null, given: Readonly<Record<string, string>>): Record<string, string>
  /** The agent of a session that names none. */
  defaultAgent(): Promise<string>
  known(id: string): boolean
}

/** What was found on this machine is looked up again after this, so that a fresh install is seen. ms. */
const LOOK_AGAIN_MS = 30_000

interface Options {
  readonly config: Config
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
  readonly now: () => number
}

/**
 * Where Node keeps what it made of the sources that children run: where this process has it, else with the data. Without
 * it each start takes twice as long and 30 MB more.
 */
export const compiledFolder = (config: Config, env: Readonly<Record<string, string | undefined>>): string =>
  env.NODE_COMPILE_CACHE ?? join(config.dataFolder, 'compiled')

export function createAgentDirectory({ config, env, home, now }: Options): AgentDirectory {
  // Agents get the person's PATH, not the one with Carrel's own Node in front.
  const path = machinePath(env.PATH ?? '', PACKAGE_ROOT)
  const source = { ...env, PATH: path }
  const registry = allAgents(config.agents, compiledFolder(config, env))
  let detectedAt = Number.NEGATIVE_INFINITY
  const detected = createLazy<AgentStatus[]>(() => {
    detectedAt = now()
    return detectAgents(registry, { path, home })
  })
  const list = () => {
    if (now() - detectedAt > LOOK_AGAIN_MS) detected.forget()
    return detected.get()
  }
  return {
    list,
    recipes: registry,
    known: (id) => registry.some((each) => each.id === id),
    async resolve(id) {
      const entry = registry.find((each) => each.id === id)
      if (!entry) {
        const names = registry.map((each) => each.id).join(', ')
        throw new CarrelError(
          'bad_input',
          `There is no agent ${id}. Known are: ${names}. Others go into config.json under "agents".`,
          { agent: id },
        )
      }
      // Only whether it is there: to ask every agent for its version would keep the first prompt waiting.
      const program = findProgram(entry.command, path)
      if (program === null) {
        const next = entry.install ? `Install it: ${entry.install}` : `Put ${entry.command} on the PATH.`
        throw new CarrelError('unavailable', `${entry.name} is not installed on this machine. ${next}`, {
          agent: id,
          next,
        })
      }
      return { recipe: entry, program }
    },
    environment(recipe, own, given) {
      const passed =
        own === null ? recipe.passEnv : recipe.passEnv.filter((name) => !recipe.ownPaths.includes(`$${name}/`))
      const base = allowedEnv(source, passed, { ...recipe.env, ...given })
      if (own !== null) return { ...homeVariables(own), ...base, HOME: own }
      // The agent that ships with Carrel keeps its memory with Carrel's data, not in the person's home.
      if (recipe.id === 'scripted') base.CARREL_SCRIPTED_HOME ??= join(config.dataFolder, 'scripted-agent')
      return base
    },
    async defaultAgent() {
      if (config.defaultAgent !== null) return config.defaultAgent
      const installed = registry.filter((each) => findProgram(each.command, path) !== null)
      return (installed.find((each) => each.id !== 'scripted') ?? installed[0])?.id ?? 'scripted'
    },
  }
}
