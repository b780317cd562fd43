import { z } from 'zod'
import { Millis, ProjectId, RunId, SessionId, SpaceId, WorkspaceId } from '../ids.ts'
import { isTakenName } from '../secrets/secrets.ts'

/** Name of a plain environment variable of a run. Everybody in the workspace sees its value; a secret hides it. */
export const EnvName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'takes 1 to 128 letters, digits and _, and begins with no digit')
  .refine((name) => !isTakenName(name), 'is reserved for programs or Carrel; choose another name')

const EnvValue = z
  .string()
  .max(16_384, 'takes at most 16384 characters')
  .refine((value) => !value.includes('\0'), 'must not contain a zero byte: no environment variable can hold one')

/** Home folder of a run: the person's own, or one that Carrel keeps for an agent, a Space or a single run. */
export const Home = z.enum(['person', 'agent', 'space', 'run'])
export type Home = z.infer<typeof Home>

export const Sandbox = z.enum(['off', 'guard', 'strict'])
export type Sandbox = z.infer<typeof Sandbox>

export const BrowserWanted = z.enum(['none', 'own'])

/** `example.com`, or `*.example.com` for all its subdomains, with an optional port. */
export const HostName = z
  .string()
  .max(253)
  .regex(
    /^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[1-9][0-9]{0,4})?$/,
    'must look like example.com, *.example.com or example.com:8443',
  )

/** Name of a port: for `web`, `CARREL_PORT_WEB` holds a port reserved for the run's place. */
export const PortName = z.string().regex(/^[a-z][a-z0-9_]{0,31}$/, 'takes 1 to 32 small letters, digits and _')

/** Returns the environment variable of a port name. Its prefix is reserved, so that no variable of a person collides. */
export const portVariable = (name: string): string => `CARREL_PORT_${name.toUpperCase()}`

/** Port reserved for a place until the place is removed. `place`: `space:<id>`, shared by direct projects, or `project:<id>`. */
export const LeasedPort = z.object({ place: z.string(), name: PortName, port: z.number().int() })
export type LeasedPort = z.infer<typeof LeasedPort>

/** Host label of a port's preview origin: stable as long as its place has the port, and not guessable. */
export const PreviewName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}-[a-z2-7]{16}$/, 'is not the name of a preview')
  .describe('Name of a preview: see `ports.list`.')

const amount = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER)

/** Limits of usage; an absent field means no limit. `ms`: work time, without waiting for a person. */
export const Budget = z.strictObject({
  ms: amount.min(1_000).optional(),
  /** Number of prompts to an agent, including resumed ones. */
  turns: amount.optional(),
  /** As agents report them. */
  tokens: amount.optional(),
  /** In the currency that the agent reports, mostly US dollars. */
  cost: z.number().positive().optional(),
})
export type Budget = z.infer<typeof Budget>

export const RunLimits = Budget.extend({
  memoryBytes: amount.min(16_777_216, 'is at least 16 MiB').optional(),
  /** Concurrent processes and threads. */
  pids: amount.min(16, 'are at least 16').optional(),
})
export type RunLimits = z.infer<typeof RunLimits>

/** Limits that the operating system enforces on an agent process and its descendants. */
export const HeldLimits = RunLimits.pick({ memoryBytes: true, pids: true })
export type HeldLimits = z.infer<typeof HeldLimits>
export type HeldLimit = keyof HeldLimits

/** Budgets of a scope. `total`: all its runs together. `session`: the runs of each of its sessions. */
export const Budgets = z.strictObject({ session: Budget.optional(), total: Budget.optional() })
export type Budgets = z.infer<typeof Budgets>

/** Environment settings of a scope: environment and limits of its runs. An absent field is inherited. */
export const Environment = z.strictObject({
  env: z.record(EnvName, EnvValue).optional(),
  home: Home.optional(),
  sandbox: Sandbox.optional(),
  hosts: z.array(HostName).max(256).optional(),
  ports: z.array(PortName).max(16).optional(),
  browser: BrowserWanted.optional(),
  limits: RunLimits.optional(),
  budgets: Budgets.optional(),
})
export type Environment = z.infer<typeof Environment>

/** Change of environment settings: a value replaces the field, null removes it, an absent field stays. */
export const EnvironmentChange = z.strictObject(
  Object.fromEntries(
    Object.entries(Environment.shape).map(([name, field]) => [name, (field as z.ZodType).nullable()]),
  ) as { [K in keyof typeof Environment.shape]: z.ZodNullable<(typeof Environment.shape)[K]> },
)
export type EnvironmentChange = z.infer<typeof EnvironmentChange>

/** Returns the settings after a change, without empty fields. */
export function changeEnvironment(before: Environment, change: EnvironmentChange): Environment {
  const fields = Object.entries({ ...before, ...change }).filter(([, value]) => value !== null && value !== undefined)
  return Object.fromEntries(fields)
}

/** Scope of settings: a workspace, one of its Spaces or one of its projects. */
export const SettingsScope = z.object({
  workspace: WorkspaceId,
  space: SpaceId.nullable(),
  project: ProjectId.nullable(),
})
export type SettingsScope = z.infer<typeof SettingsScope>

/** Level of a scope, from general to specific. */
export const ScopeLevel = z.enum(['default', 'workspace', 'space', 'project'])
export type ScopeLevel = z.infer<typeof ScopeLevel>

export interface SettingsLayer {
  readonly from: ScopeLevel
  readonly settings: Environment
}

const from = <T extends z.ZodType>(value: T) => z.object({ value, from: ScopeLevel })

/** Effective environment settings, each with the scope that sets it. */
export const EffectiveEnvironment = z.object({
  env: z.record(z.string(), from(z.string())),
  home: from(Home),
  sandbox: from(Sandbox),
  hosts: z.array(from(z.string())),
  ports: from(z.array(z.string())),
  browser: from(BrowserWanted),
  /** The smallest value of each limit. */
  limits: z.partialRecord(RunLimits.keyof(), from(z.number())),
  /** All budgets apply independently. `total` covers the scope that sets it. */
  budgets: z.array(z.object({ of: z.enum(['session', 'total']), from: ScopeLevel, budget: Budget })),
})
export type EffectiveEnvironment = z.infer<typeof EffectiveEnvironment>

/** Merges the settings of scopes, given from general to specific. `fallback`: defaults for fields that no scope sets. */
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

/** Returns the limits that the operating system enforces on a run; null for none. */
export function heldLimitsOf({ limits }: EffectiveEnvironment): HeldLimits | null {
  const { memoryBytes, pids } = limits
  if (!memoryBytes && !pids) return null
  return { ...(memoryBytes && { memoryBytes: memoryBytes.value }), ...(pids && { pids: pids.value }) }
}

function tightest(layers: readonly SettingsLayer[], fallback: RunLimits): EffectiveEnvironment['limits'] {
  const limits: EffectiveEnvironment['limits'] = {}
  const take = (from: ScopeLevel, own: RunLimits) => {
    for (const [name, value] of Object.entries(own) as [keyof RunLimits, number][]) {
      const known = limits[name]
      if (!known || known.from === 'default' || value < known.value) limits[name] = { value, from }
    }
  }
  take('default', fallback)
  for (const layer of layers) take(layer.from, layer.settings.limits ?? {})
  return limits
}

/** Variable of a run as shown to people. `value`: the plain value, a handle for a secret, or null for a hidden value. */
export const GivenVariable = z.object({
  name: z.string(),
  /** Source: the machine, the agent's recipe, Carrel, a secret, or a scope. Ports are plain and come from Carrel. */
  from: z.enum(['machine', 'agent', 'carrel', 'secret', 'workspace', 'space', 'project']),
  value: z.string().nullable(),
})
export type GivenVariable = z.infer<typeof GivenVariable>

/** Environment of a run, as kept in its folder under `logs`, without secret values. */
export const GivenToRun = z.object({
  run: RunId,
  session: SessionId,
  agent: z.string(),
  program: z.string(),
  args: z.array(z.string()),
  cwd: z.string(),
  env: z.array(GivenVariable),
  /** `session`: the scope sets `person`, but the agent cannot share a home. */
  home: z.enum([...Home.options, 'session']),
  /** Temporary folder as seen by the run, deleted with the agent process. null for runs of an older version. */
  temporary: z.string().nullable().default(null),
  sandbox: Sandbox,
  hosts: z.array(z.string()),
  limits: z.partialRecord(RunLimits.keyof(), z.number()),
  containment: z.string(),
  pid: z.number().int(),
  stderr: z.string(),
  at: Millis,
})
export type GivenToRun = z.infer<typeof GivenToRun>
