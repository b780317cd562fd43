import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { homeVariables } from '../../host/identity/homes.ts'
import { temporaryVariables } from '../../host/identity/temporary.ts'
import type { AgentRecipe } from '../../model/agent.ts'
import { markOf } from '../../model/secrets/mask.ts'
import type { Config } from '../../model/settings/config.ts'
import { type EffectiveEnvironment, GivenToRun, type GivenVariable } from '../../model/settings/environment.ts'
import { absentAsNull } from '../../primitives/absent-as-null.ts'

/** A run's environment in a folder of its own, for people. Deleted after `keepRunLogsDays`. */
const fileOf = ({ dataFolder }: Config, run: string) => join(dataFolder, 'logs', 'runs', run, 'run.json')

export async function writeGiven(config: Config, given: GivenToRun): Promise<void> {
  const file = fileOf(config, given.run)
  await mkdir(join(file, '..'), { recursive: true, mode: 0o700 })
  await writeFile(file, `${JSON.stringify(given, null, 2)}\n`)
}

export async function readGiven(config: Config, run: string): Promise<GivenToRun | null> {
  const text = await absentAsNull(readFile(fileOf(config, run), 'utf8'))
  return text === null ? null : (GivenToRun.safeParse(JSON.parse(text)).data ?? null)
}

interface Sources {
  readonly recipe: AgentRecipe
  readonly secrets: Readonly<Record<string, string>>
  readonly environment: EffectiveEnvironment
  /** Variables of Carrel that everybody may see: ports, the address of a browser. */
  readonly own: Readonly<Record<string, string>>
  readonly home: string
}

/** Returns the source of each variable. Only variables of scopes have plain values: others may be secrets (B3). */
export function variablesOf(env: Readonly<Record<string, string>>, sources: Sources): GivenVariable[] {
  const { recipe, secrets, environment, own: given } = sources
  const own: Readonly<Record<string, string>> = {
    ...(env.HOME === sources.home ? {} : homeVariables(env.HOME ?? '')),
    ...given,
  }
  return Object.keys(env)
    .sort()
    .map((name) => {
      const plainly = own[name]
      if (plainly !== undefined && plainly === env[name]) return { name, from: 'carrel', value: plainly }
      if (Object.hasOwn(secrets, name)) return { name, from: 'secret', value: markOf(name) }
      const plain = environment.env[name]
      if (plain && plain.from !== 'default') return { name, from: plain.from, value: plain.value }
      if (Object.hasOwn(recipe.env, name)) return { name, from: 'agent', value: null }
      if (name === 'HOME')
        return { name, from: env.HOME === sources.home ? 'machine' : 'carrel', value: env.HOME ?? '' }
      return { name, from: name.startsWith('CARREL_') ? 'carrel' : 'machine', value: null }
    })
}

export function withTemporary(variables: readonly GivenVariable[], folder: string): GivenVariable[] {
  const own = Object.entries(temporaryVariables(folder)).map(([name, value]) => ({
    name,
    from: 'carrel' as const,
    value,
  }))
  const others = variables.filter(({ name }) => !own.some((each) => each.name === name))
  return [...others, ...own].sort((a, b) => (a.name < b.name ? -1 : 1))
}
