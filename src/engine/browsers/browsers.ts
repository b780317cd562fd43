import { join } from 'node:path'
import type { Finding } from '../../api/admin.ts'
import { agentDoor, type Door } from '../../host/browsers/door.ts'
import { findBrowser, HOW_TO_INSTALL, noBrowser, versionOf } from '../../host/browsers/find.ts'
import { browserServers } from '../../host/browsers/mcp.ts'
import { allowedEnv } from '../../host/process/environment.ts'
import type { SandboxSpec } from '../../host/sandbox/enclose.ts'
import { BROWSER_VARIABLE } from '../../model/browser.ts'
import { CarrelError } from '../../model/errors.ts'
import type { Outcome } from '../../model/events/events.ts'
import type { RunView } from '../../model/events/view.ts'
import type { Config } from '../../model/settings/config.ts'
import type { Session } from '../../model/tree.ts'
import type { AgentSlot } from '../agents/agent-slot.ts'
import { type Confinement, type SandboxContext, sandboxFor } from '../agents/sandboxing.ts'
import type { Basics, MachineFacts } from '../basics.ts'
import type { BrowserPool } from './browser-pool.ts'
import type { BrowserRequest, RunBrowser } from './run-browser.ts'

export type TakeBrowser = (request: BrowserRequest) => Promise<RunBrowser> | RunBrowser | null

/** The parts of a run's agent process that come from its browser. */
export interface BrowserAccess {
  readonly env: Readonly<Record<string, string>>
  /** The part of `env` that people may see: the address of a service may contain a key that somebody pays for. */
  readonly shown: Readonly<Record<string, string>>
  /** The way out of a strict sandbox; empty otherwise. */
  readonly door: Partial<Door>
}

export const NO_BROWSER: BrowserAccess = { env: {}, shown: {}, door: {} }

/** @throws unavailable where a strict sandbox and the browser of a service contradict each other (F8) */
export function refuseServiceInStrict({ browserEndpoint }: Config, { mode }: Confinement): void {
  if (mode === 'strict' && browserEndpoint !== null) throw new CarrelError('unavailable', NOT_IN_STRICT)
}

const NOT_IN_STRICT =
  'The browser of a service (browserEndpoint) would bypass the allowed hosts of the sandbox strict. Set the browser to none, or the sandbox to guard (`carrel env set`), or run browsers on this machine.'

/** The part of a run that its browser needs: the log of its session takes notices. */
export interface BrowserUser {
  readonly ctx: SandboxContext
  readonly recorder: { readonly session: Session; push(outcome: Outcome): void }
}

export function browserRequest(
  { ctx, recorder }: BrowserUser,
  { id: run, agent }: Pick<RunView, 'id' | 'agent'>,
  confinement: Confinement,
): BrowserRequest {
  const { id: session, workspace } = recorder.session
  return {
    workspace,
    session,
    run,
    agent,
    // A browser gets neither secrets nor variables of its run.
    launch: async () => ({
      sandbox: await browserSandbox(ctx, confinement),
      enter: confinement.place.enter,
      env: allowedEnv(ctx.env, ['FONTCONFIG_PATH'], {}),
    }),
    notify: (level, text, data) =>
      recorder.push({ type: 'notice.given', run, data: { level, text, ...(data !== undefined && { data }) } }),
  }
}

export function browserAccess(config: Config, { url, request }: RunBrowser, { mode }: Confinement): BrowserAccess {
  const env = { [BROWSER_VARIABLE]: url }
  const door = mode === 'strict' ? agentDoor(browsersFolder(config), request, url) : {}
  return { env, shown: config.browserEndpoint === null ? env : {}, door }
}

/**
 * Returns the sandbox of a run's browser. CDP has no authentication, so browsers are sandboxed even when their agent is
 * not, if the machine can. The browser reads no path that is closed to agents, and writes to its own folder only.
 */
async function browserSandbox(ctx: SandboxContext, confinement: Confinement): Promise<SandboxSpec | null> {
  const { mode, recipe } = confinement
  if (mode === 'off' && (await ctx.sandboxes.obstacle('guard')) !== null) return null
  const sandbox = await sandboxFor(ctx, { ...confinement, mode: mode === 'strict' ? 'strict' : 'guard' })
  if (sandbox === null) return null
  const logins = recipe.loginFiles.map((path) => join(ctx.home, path))
  return { ...sandbox, write: [], read: [], hide: [...sandbox.hide, ...logins], onlyReads: true }
}

export const browsersFolder = ({ dataFolder }: Pick<Config, 'dataFolder'>): string => join(dataFolder, 'browsers')

/** Rejoins the browser of a run after a restart. Null, with a notice to the session, where none is known. */
export function rejoinBrowser(browsers: BrowserPool, request: BrowserRequest): RunBrowser | null {
  const browser = browsers.rejoin(request)
  if (browser === null)
    request.notify('warning', "This run's browser did not survive the restart. The next run gets a new one.")
  return browser
}

/**
 * Takes an agent slot for a run that has a browser: conversations get the browser's MCP server, and the browser is
 * released with the slot, and when `take` fails.
 */
export async function slotWith(
  browser: RunBrowser | null,
  { browserMcp }: Pick<Config, 'browserMcp'>,
  take: () => Promise<AgentSlot>,
): Promise<AgentSlot> {
  if (browser === null) return await take()
  const slot = await take().catch(async (thrown) => {
    await browser.release()
    throw thrown
  })
  const servers = browserServers(browser.url, browserMcp)
  return {
    ...slot,
    open: (place, ...rest) => slot.open({ ...place, mcpServers: [...place.mcpServers, ...servers] }, ...rest),
    reopen: (id, place, ...rest) =>
      slot.reopen(id, { ...place, mcpServers: [...place.mcpServers, ...servers] }, ...rest),
    leave() {
      slot.leave()
      void browser.release()
    },
    abandon() {
      slot.abandon()
      browser.leave()
    },
  }
}

export async function browserFinding({
  config,
  env,
}: Pick<Basics, 'config'> & Pick<MachineFacts, 'env'>): Promise<Finding> {
  const name = 'Browser'
  const { browserEndpoint, browserCommand, browsersAtOnce } = config
  const most = `At most ${browsersAtOnce} at once.`
  if (browserEndpoint !== null)
    return { name, state: 'good', text: `Runs use the service ${new URL(browserEndpoint).host}. ${most}`, next: null }
  const program = findBrowser(browserCommand, env.PATH ?? '')
  if (program === null) return { name, state: 'limited', text: noBrowser(browserCommand), next: HOW_TO_INSTALL }
  const version = (await versionOf(program, env.PATH ?? '')) ?? 'found'
  return { name, state: 'good', text: `${version} at ${program}. ${most}`, next: null }
}
