import { join } from 'node:path'
import type { Finding } from '../../api/admin.ts'
import { doorFor } from '../../host/browsers/door.ts'
import { findBrowser, HOW_TO_INSTALL, noBrowser, versionOf } from '../../host/browsers/find.ts'
import { browserServers } from '../../host/browsers/mcp.ts'
import { allowedEnv } from '../../host/process/environment.ts'
import type { Sandbox } from '../../host/sandbox/enclose.ts'
import { BROWSER_VARIABLE } from '../../model/browser.ts'
import type { Config } from '../../model/config.ts'
import { CarrelError } from '../../model/errors.ts'
import type { RunView } from '../../model/view.ts'
import type { Seat } from '../agents/agent-pool.ts'
import { type Kept, sandboxFor } from '../agents/sandboxing.ts'
import type { Context } from '../context.ts'
import type { RunWork } from '../run/run-work.ts'
import type { BrowserLease, BrowserWish } from './browser-pool.ts'

export type TakeBrowser = (wish: BrowserWish) => Promise<BrowserLease> | BrowserLease | null

/** The browser of a run, with what its agent and what people are told of it. @throws unavailable where it cannot have one (F8) */
export async function browserOf(
  { ctx, recorder }: Pick<RunWork, 'ctx' | 'recorder'>,
  run: Pick<RunView, 'id' | 'agent'>,
  kept: Kept,
  take: TakeBrowser,
) {
  const strict = kept.mode === 'strict'
  if (strict && ctx.config.browserEndpoint !== null) throw new CarrelError('unavailable', NOT_IN_STRICT)
  const { id: session, workspace } = recorder.session
  const lease = await take({
    workspace,
    session,
    run: run.id,
    agent: run.agent,
    // Nothing of the run's own: neither its secrets nor its variables are a browser's business.
    launch: async () => ({
      sandbox: await wallsOf(ctx, kept),
      enter: kept.place.enter,
      env: allowedEnv(ctx.env, ['FONTCONFIG_PATH'], {}),
    }),
    tell: (level, text, data) =>
      recorder.push({ type: 'notice.given', run: run.id, data: { level, text, ...(data !== undefined && { data }) } }),
  })
  const env: Record<string, string> = lease === null ? {} : { [BROWSER_VARIABLE]: lease.url }
  const door = strict && lease ? doorFor(browsersFolder(ctx.config), { session, agent: run.agent }, lease.url) : {}
  // The address of a service may hold what one pays with.
  return { lease, env, shown: ctx.config.browserEndpoint === null ? env : {}, door }
}

/**
 * Whoever finds a browser's port can drive it: so it is walled in also where its agent is not, as far as the machine can.
 * It reads nothing that is closed to any agent, and writes nowhere but in its own folder.
 */
async function wallsOf(ctx: Context, kept: Kept): Promise<Sandbox | null> {
  if (kept.mode === 'off' && (await ctx.sandboxes.obstacle('guard')) !== null) return null
  const sandbox = await sandboxFor(ctx, { ...kept, mode: kept.mode === 'strict' ? 'strict' : 'guard' })
  if (sandbox === null) return null
  const logins = kept.recipe.loginFiles.map((path) => join(ctx.home, path))
  return { ...sandbox, write: [], read: [], hide: [...sandbox.hide, ...logins], onlyReads: true }
}

export const browsersFolder = ({ dataFolder }: Pick<Config, 'dataFolder'>): string => join(dataFolder, 'browsers')

const NOT_IN_STRICT =
  'The browser of a service elsewhere (browserEndpoint) would lead round the hosts of the sandbox strict. Set the browser to none, or the sandbox to guard (`carrel env set`), or run browsers on this machine.'

/** The one it had; where that is not known any more, it is told so. */
export function rejoinBrowser({ browsers }: Context, wish: BrowserWish): BrowserLease | null {
  const lease = browsers.rejoin(wish)
  if (lease === null)
    wish.tell('warning', 'None of the browser of this run was left when the server came back. The next run has one.')
  return lease
}

/** A seat whose run has a browser: told to the agent with its conversation, and given back with the seat, however that ends. */
export async function seatWith(
  lease: BrowserLease | null,
  { browserMcp }: Config,
  take: () => Promise<Seat>,
): Promise<Seat> {
  if (lease === null) return await take()
  const seat = await take().catch(async (thrown) => {
    await lease.release()
    throw thrown
  })
  const servers = browserServers(lease.url, browserMcp)
  const told: Pick<Seat, 'open' | 'reopen'> = {
    open: (place, ...rest) => seat.open({ ...place, mcpServers: [...place.mcpServers, ...servers] }, ...rest),
    reopen: (id, place, ...rest) =>
      seat.reopen(id, { ...place, mcpServers: [...place.mcpServers, ...servers] }, ...rest),
  }
  return {
    ...seat,
    ...told,
    leave() {
      seat.leave()
      void lease.release()
    },
    abandon() {
      seat.abandon()
      lease.leave()
    },
  }
}

/** Which browser runs get here, for `carrel doctor`. */
export async function browserFinding({ config, env }: Context): Promise<Finding> {
  const name = 'Browser'
  const { browserEndpoint, browserCommand, browsersAtOnce } = config
  const most = `At most ${browsersAtOnce} at once.`
  if (browserEndpoint !== null)
    return { name, state: 'good', text: `Runs get theirs from ${new URL(browserEndpoint).host}. ${most}`, next: null }
  const program = findBrowser(browserCommand, env.PATH ?? '')
  if (program === null) return { name, state: 'limited', text: noBrowser(browserCommand), next: HOW_TO_INSTALL }
  const version = (await versionOf(program, env.PATH ?? '')) ?? 'found'
  return { name, state: 'good', text: `${version} at ${program}. ${most}`, next: null }
}
