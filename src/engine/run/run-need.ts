import type { Place } from '../../host/places/place.ts'
import type { RunView } from '../../model/events/view.ts'
import { type EffectiveEnvironment, heldLimitsOf } from '../../model/settings/environment.ts'
import type { AgentNeed } from '../agents/agent-slot.ts'
import { homeFor } from '../agents/homes.ts'
import { type Confinement, sandboxFor } from '../agents/sandboxing.ts'
import {
  type BrowserAccess,
  browserAccess,
  browserRequest,
  NO_BROWSER,
  refuseServiceInStrict,
  type TakeBrowser,
} from '../browsers/browsers.ts'
import type { RunBrowser } from '../browsers/run-browser.ts'
import { portsFor } from '../files/place-ports.ts'
import { placeKey } from '../files/project-places.ts'
import { environmentOf } from '../scope-settings.ts'
import type { RunWork } from './run-work.ts'

export type RunOf = Pick<RunView, 'id' | 'agent'>

export interface RunNeed extends AgentNeed {
  readonly environment: EffectiveEnvironment
  readonly secrets: Readonly<Record<string, string>>
  /** Variables that Carrel adds and that people may see: ports, the address of a browser. */
  readonly own: Readonly<Record<string, string>>
  readonly confinement: Confinement
}

export interface AcquiredNeed {
  readonly need: RunNeed
  readonly browser: RunBrowser | null
}

/** Names a conversation of the agent pool: one agent in one session. */
export const contextOf = (session: string, agent: string): string => `${session} ${agent}`

export const wantsBrowser = ({ environment }: RunNeed): boolean => environment.browser.value === 'own'

/**
 * Describes the agent process that a run needs. Safe to repeat, and nothing has to be released: the ports belong to the
 * place and stay the same.
 * @throws bad_input; unavailable where the agent is not installed, or this machine cannot enforce the sandbox
 */
export async function describeNeed(
  { ctx, recorder }: Pick<RunWork, 'ctx' | 'recorder'>,
  run: RunOf,
  place: Place,
): Promise<RunNeed> {
  const { recipe, program } = await ctx.agents.resolve(run.agent)
  const { id: session, workspace, space, project } = recorder.session
  const scope = { workspace, space, project }
  const [secrets, environment] = await Promise.all([ctx.vault.forRun(scope, run.agent), environmentOf(ctx, scope)])
  const plain = Object.entries(environment.env).map(([name, { value }]) => [name, value])
  const own = await portsFor(ctx, workspace, placeKey({ id: project, space, place }), environment.ports.value)
  const home = homeFor(recipe, environment.home.value, { ...scope, session, run: run.id })
  const env = ctx.agents.environment(recipe, home && ctx.homes.pathOf(home), {
    ...Object.fromEntries(plain),
    ...secrets,
    ...own,
  })
  const hosts = environment.hosts.map(({ value }) => value)
  const confinement: Confinement = { recipe, env, place, mode: environment.sandbox.value, hosts }
  const sandbox = await sandboxFor(ctx, confinement)
  const context = contextOf(session, run.agent)
  const limits = heldLimitsOf(environment)
  const need = { recipe, program, env, workspace, context, place, sandbox, home, limits }
  return { ...need, environment, secrets, own, confinement }
}

/**
 * Takes the browser of a run, if its settings want one, and adds it to the need. The last step before the agent
 * process, since it may wait.
 * @throws unavailable where the run cannot have a browser (F8)
 */
export async function acquireNeed(
  work: Pick<RunWork, 'ctx' | 'recorder'>,
  run: RunOf,
  need: RunNeed,
  take: TakeBrowser,
): Promise<AcquiredNeed> {
  if (!wantsBrowser(need)) return { need, browser: null }
  const { config } = work.ctx
  refuseServiceInStrict(config, need.confinement)
  const browser = await take(browserRequest(work, run, need.confinement))
  const access = browser === null ? NO_BROWSER : browserAccess(config, browser, need.confinement)
  return { need: withBrowser(need, access), browser }
}

export function withBrowser<Need extends Pick<RunNeed, 'env' | 'own' | 'sandbox'>>(
  need: Need,
  { env, shown, door }: BrowserAccess,
): Need {
  const sandbox = need.sandbox && { ...need.sandbox, ...door }
  return { ...need, env: { ...need.env, ...env }, own: { ...need.own, ...shown }, sandbox }
}
