import { z } from 'zod'
import { Millis, ProjectId, RunId, SessionId, SpaceId, WorkspaceId } from './ids.ts'
import { isTakenName } from './secrets.ts'

/** A variable of a run. Its value is plain: anybody in the workspace sees it. What nobody may see is a secret. */
export const EnvName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'takes 1 to 128 letters, digits and _, and begins with no digit')
  .refine((name) => !isTakenName(name), 'is a name that programs or Carrel need for themselves; choose another one')

const EnvValue = z
  .string()
  .max(16_384, 'has at most 16384 characters')
  .refine((value) => !value.includes('\0'), 'must not hold the character 0, which no environment can carry')

/** Whose home folder a run has: the person's, or one that Carrel keeps for an agent, a Space or a single run. */
export const Home = z.enum(['person', 'agent', 'space', 'run'])
export type Home = z.infer<typeof Home>

/** How much of the machine a run can reach. */
export const Sandbox = z.enum(['off', 'guard', 'strict'])
export type Sandbox = z.infer<typeof Sandbox>

/** Whether each run has a browser of its own. */
export const BrowserWanted = z.enum(['none', 'own'])

/** `example.com`, or `*.example.com` for everything below it; a port may follow. */
export const HostName = z
  .string()
  .max(253)
  .regex(
    /^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[1-9][0-9]{0,4})?$/,
    'must look like example.com, *.example.com or example.com:8443',
  )

/** `web`: a run then finds a port that only its place has in `CARREL_PORT_WEB`. */
export const PortName = z.string().regex(/^[a-z][a-z0-9_]{0,31}$/, 'takes 1 to 32 small letters, digits and _')

/** The variable in which a run finds the port of a name. The prefix is Carrel's: no variable of people's can stand there. */
export const portVariable = (name: string): string => `CARREL_PORT_${name.toUpperCase()}`

/** A port that a place has until it is gone. `place` is `space:<id>`, which projects in the Space's folder share, or `project:<id>`. */
export const LeasedPort = z.object({ place: z.string(), name: PortName, port: z.number().int() })
export type LeasedPort = z.infer<typeof LeasedPort>

/** The name of the origin at which a port is shown: stable as long as its place has it, and guessed by nobody. */
export const PreviewName = z.string().regex(/^[a-z][a-z0-9-]{0,31}-[a-z2-7]{16}$/, 'is not the name of a preview')

const amount = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER)

/** What may be used up; an absent field has no end. `ms` is time at work: waiting for a person does not count. */
export const Budget = z.strictObject({
  ms: amount.min(1_000).optional(),
  /** How often an agent is told something. */
  turns: amount.optional(),
  /** As agents report them. */
  tokens: amount.optional(),
  /** In the currency that the agent reports, mostly US dollars. */
  cost: z.number().positive().optional(),
})
export type Budget = z.infer<typeof Budget>

/** What one run may use. */
export const Limits = Budget.extend({
  memoryBytes: amount.min(16_777_216, 'is at least 16 MiB').optional(),
  /** Processes and threads at once. */
  pids: amount.min(16, 'are at least 16').optional(),
})
export type Limits = z.infer<typeof Limits>

/** Limits that the machine keeps for an agent's process and all that it starts. */
export const HeldLimits = Limits.pick({ memoryBytes: true, pids: true })
export type HeldLimits = z.infer<typeof HeldLimits>
export type HeldLimit = keyof HeldLimits

/** `total`: all runs of the scope together. `session`: those of each session in it. */
export const Budgets = z.strictObject({ session: Budget.optional(), total: Budget.optional() })
export type Budgets = z.infer<typeof Budgets>

/** What the runs of a scope are given and what they may use, as somebody set it there. Absent is not said. */
export const Environment = z.strictObject({
  env: z.record(EnvName, EnvValue).optional(),
  home: Home.optional(),
  sandbox: Sandbox.optional(),
  /** The hosts that a strict sandbox lets through. */
  hosts: z.array(HostName).max(256).optional(),
  ports: z.array(PortName).max(16).optional(),
  browser: BrowserWanted.optional(),
  limits: Limits.optional(),
  budgets: Budgets.optional(),
})
export type Environment = z.infer<typeof Environment>

/** What is to be different: a field that is said takes the place of what was there, null takes it away. */
export const EnvironmentChange = z.strictObject(
  Object.fromEntries(
    Object.entries(Environment.shape).map(([name, field]) => [name, (field as z.ZodType).nullable()]),
  ) as { [K in keyof typeof Environment.shape]: z.ZodNullable<(typeof Environment.shape)[K]> },
)
export type EnvironmentChange = z.infer<typeof EnvironmentChange>

/** What a change leaves. Fields that say nothing go. */
export function changeEnvironment(before: Environment, change: EnvironmentChange): Environment {
  const said = Object.entries({ ...before, ...change }).filter(([, value]) => value !== null && value !== undefined)
  return Object.fromEntries(said)
}

/** A Workspace, one of its Spaces or one of its projects. */
export const SettingsScope = z.object({
  workspace: WorkspaceId,
  space: SpaceId.nullable(),
  project: ProjectId.nullable(),
})
export type SettingsScope = z.infer<typeof SettingsScope>

export const Layer = z.enum(['default', 'workspace', 'space', 'project'])
export type Layer = z.infer<typeof Layer>

/** What one scope says. */
export interface SettingsLayer {
  readonly from: Layer
  readonly settings: Environment
}

const from = <T extends z.ZodType>(value: T) => z.object({ value, from: Layer })

/** What holds in the end, and which scope says so. */
export const EffectiveEnvironment = z.object({
  env: z.record(z.string(), from(z.string())),
  home: from(Home),
  sandbox: from(Sandbox),
  hosts: z.array(from(z.string())),
  ports: from(z.array(z.string())),
  browser: from(BrowserWanted),
  /** Of each the tightest. */
  limits: z.partialRecord(Limits.keyof(), from(z.number())),
  /** Each counts for itself. `total` is about the scope that it comes from. */
  budgets: z.array(z.object({ of: z.enum(['session', 'total']), from: Layer, budget: Budget })),
})
export type EffectiveEnvironment = z.infer<typeof EffectiveEnvironment>

/** Puts scopes together, given from far to near; `fallback` holds where none of them says anything. */
export function effectiveEnvironment(
  layers: readonly SettingsLayer[],
  fallback: Environment = {},
): EffectiveEnvironment {
  const nearest = <K extends 'home' | 'sandbox' | 'ports' | 'browser'>(
    key: K,
    standard: NonNullable<Environment[K]>,
  ) => {
    const layer = layers.findLast(({ settings }) => settings[key] !== undefined)
    return {
      value: (layer?.settings[key] ?? fallback[key] ?? standard) as NonNullable<Environment[K]>,
      from: layer?.from ?? ('default' as const),
    }
  }
  const env = layers.flatMap(({ from, settings }) =>
    Object.entries(settings.env ?? {}).map(([name, value]) => [name, { value, from }] as const),
  )
  const hosts = layers.flatMap(({ from, settings }) => (settings.hosts ?? []).map((value) => ({ value, from })))
  return {
    env: Object.fromEntries(env),
    home: nearest('home', 'person'),
    sandbox: nearest('sandbox', 'off'),
    hosts: hosts.filter(({ value }, at) => hosts.findIndex((each) => each.value === value) === at),
    ports: nearest('ports', []),
    browser: nearest('browser', 'none'),
    limits: tightest(layers, fallback.limits ?? {}),
    budgets: layers.flatMap(({ from, settings }) =>
      (['session', 'total'] as const).flatMap((of) => {
        const budget = settings.budgets?.[of]
        return budget && Object.keys(budget).length > 0 ? [{ of, from, budget }] : []
      }),
    ),
  }
}

/** What the machine is to keep of a run; null for nothing. */
export function heldLimitsOf({ limits }: EffectiveEnvironment): HeldLimits | null {
  const { memoryBytes, pids } = limits
  if (!memoryBytes && !pids) return null
  return { ...(memoryBytes && { memoryBytes: memoryBytes.value }), ...(pids && { pids: pids.value }) }
}

function tightest(layers: readonly SettingsLayer[], fallback: Limits): EffectiveEnvironment['limits'] {
  const limits: EffectiveEnvironment['limits'] = {}
  const take = (from: Layer, said: Limits) => {
    for (const [name, value] of Object.entries(said) as [keyof Limits, number][]) {
      const known = limits[name]
      if (!known || known.from === 'default' || value < known.value) limits[name] = { value, from }
    }
  }
  take('default', fallback)
  for (const layer of layers) take(layer.from, layer.settings.limits ?? {})
  return limits
}

/** A variable as a person sees it: in full where it is plain, a handle where it is a secret, else its name only. */
export const GivenVariable = z.object({
  name: z.string(),
  /** Who gave it: the machine, the agent's recipe, Carrel, a secret, or a scope. Ports are Carrel's and plain. */
  from: z.enum(['machine', 'agent', 'carrel', 'secret', 'workspace', 'space', 'project']),
  value: z.string().nullable(),
})
export type GivenVariable = z.infer<typeof GivenVariable>

/** What a run was given, as its folder under `logs` keeps it. Nothing in it is secret. */
export const GivenToRun = z.object({
  run: RunId,
  session: SessionId,
  agent: z.string(),
  program: z.string(),
  args: z.array(z.string()),
  cwd: z.string(),
  env: z.array(GivenVariable),
  /** `session`: of an agent that cannot share one, where its scope says `person`. */
  home: z.enum([...Home.options, 'session']),
  /** Its temporary folder, as it sees it; it goes with the agent's process. Null of runs of an older version. */
  temporary: z.string().nullable().default(null),
  sandbox: Sandbox,
  hosts: z.array(z.string()),
  limits: z.partialRecord(Limits.keyof(), z.number()),
  containment: z.string(),
  pid: z.number().int(),
  /** Where the agent's own complaints are. */
  stderr: z.string(),
  at: Millis,
})
export type GivenToRun = z.infer<typeof GivenToRun>
