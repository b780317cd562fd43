import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { AgentListener, AgentPlace } from '../../host/agent/agent.ts'
import { reopenableAt } from '../../host/agent/quirks.ts'
import type { Place } from '../../host/places/place.ts'
import { type GivenToRun, heldLimitsOf } from '../../model/environment.ts'
import { CarrelError } from '../../model/errors.ts'
import type { ContentBlock } from '../../model/events.ts'
import { EMPTY_AGENT, type RunView } from '../../model/view.ts'
import { messageOf } from '../../primitives/message-of.ts'
import type { AgentNeed, LiveContext, Seat } from '../agents/agent-pool.ts'
import { homeFor } from '../agents/homes.ts'
import { sandboxFor } from '../agents/sandboxing.ts'
import { browserOf, seatWith, type TakeBrowser } from '../browsers/browsers.ts'
import { type OpenedPlace, placeKey } from '../files/place-care.ts'
import { variablesOf, withTemporary, writeGiven } from '../files/run-folder.ts'
import { environmentOf } from '../verbs/environment.ts'
import { portsFor } from '../verbs/ports.ts'
import { missedText, transcriptText } from './primer.ts'
import type { RunWork } from './run-work.ts'

/** The place of a run's project, proven to be what it says: never another one in its stead (F8). */
export async function openPlaceOf({ ctx, recorder }: RunWork): Promise<OpenedPlace> {
  const { workspace, project: id } = recorder.session
  await ctx.makings.done(id)
  const project = await ctx.store.tree.project(workspace, id)
  if (!project) throw new CarrelError('gone', 'The project of this session was deleted.')
  return await ctx.care.open(project)
}

/** A run, also one that is not admitted yet. */
export type RunOf = Pick<RunView, 'id' | 'agent'>

/** A seat for a run: the process it gets, with an environment that is an allow-list. */
export async function takeSeat(work: RunWork, run: RunOf, place: Place, signal: AbortSignal): Promise<Seat> {
  const { ctx } = work
  const need = await needOf(work, run, place, (wish) => ctx.browsers.lease(wish, signal))
  const seat = await seatWith(need.browser, ctx.config, () => ctx.pool.checkout(need, signal))
  noteGiven(work, run, place, need, seat)
  return seat
}

/** What a run needs where a process has its conversation open, and nothing has to be waited for, as a browser may have to. */
export async function warmNeed(work: RunWork, run: RunOf, place: Place): Promise<Need | null> {
  const { ctx, recorder } = work
  if (!ctx.pool.holds(contextOf(recorder.session.id, run.agent))) return null
  const need = await needOf(work, run, place, () => null)
  return need.environment.browser.value === 'own' ? null : need
}

/** A seat where the agent can be told at once: it has the conversation open, and all settings that people chose. */
export function warmSeat(work: RunWork, run: RunOf, place: Place, need: Need): Seat | null {
  const seat = settingsFor(work, run, false) ? null : work.ctx.pool.warm(need)
  if (seat) noteGiven(work, run, place, need, seat)
  return seat
}

const contextOf = (session: string, agent: string) => `${session} ${agent}`

/** Writes down what a run is given. For people who look later: the prompt does not wait for it. */
function noteGiven({ ctx, recorder }: RunWork, run: RunOf, place: Place, need: Need, seat: Seat): void {
  const { recipe, program, environment, variables } = need
  const limits = Object.entries(environment.limits).map(([name, { value }]) => [name, value])
  const given = ctx.vault.mask(recorder.session.workspace).value<GivenToRun>({
    run: run.id,
    session: recorder.session.id,
    agent: run.agent,
    program,
    args: [...recipe.args],
    cwd: place.path,
    env: withTemporary(variables, seat.connection.temporary),
    home: need.home?.kind ?? 'person',
    temporary: seat.connection.temporary,
    sandbox: environment.sandbox.value,
    hosts: [...(need.sandbox?.hosts ?? [])],
    limits: Object.fromEntries(limits),
    containment: need.sandbox ? 'bubblewrap' : ctx.containment.kind,
    pid: seat.connection.pid,
    stderr: join(ctx.config.dataFolder, 'logs', 'agents', run.agent, 'stderr.log'),
    at: ctx.now(),
  })
  writeGiven(ctx.config, given).catch((thrown) => ctx.log.warn(`The folder of ${run.id} could not be written.`, thrown))
}

export type Need = Awaited<ReturnType<typeof needOf>>

/** What kind of process a run needs, and what people are told of it. Whoever asks gives the browser back. */
export async function needOf(
  { ctx, recorder }: Pick<RunWork, 'ctx' | 'recorder'>,
  run: RunOf,
  place: Place,
  take: TakeBrowser,
) {
  const { recipe, program } = await ctx.agents.resolve(run.agent)
  const { id, workspace, space, project } = recorder.session
  const [secrets, environment] = await Promise.all([
    ctx.vault.forRun({ workspace, space, project }, run.agent),
    environmentOf(ctx, { workspace, space, project }),
  ])
  const plain = Object.entries(environment.env).map(([name, { value }]) => [name, value])
  const ports = await portsFor(ctx, workspace, placeKey({ id: project, space, place }), environment.ports.value)
  const home = homeFor(recipe, environment.home.value, { workspace, space, project, session: id, run: run.id })
  const before = ctx.agents.environment(recipe, home && ctx.homes.pathOf(home), {
    ...Object.fromEntries(plain),
    ...secrets,
    ...ports,
  })
  const { sandbox: mode, hosts } = environment
  const kept = { recipe, env: before, place, mode: mode.value, hosts: hosts.map(({ value }) => value) }
  const walls = await sandboxFor(ctx, kept)
  // Last, since it may wait, and nothing behind it fails.
  const browser = environment.browser.value === 'own' ? await browserOf({ ctx, recorder }, run, kept, take) : null
  const env = { ...before, ...browser?.env }
  const sandbox = walls && { ...walls, ...browser?.door }
  const context = contextOf(id, run.agent)
  const limits = heldLimitsOf(environment)
  const need: AgentNeed = { recipe, program, env, workspace, context, place, sandbox, home, limits }
  return {
    ...need,
    environment,
    browser: browser?.lease ?? null,
    variables: variablesOf(env, {
      recipe,
      secrets,
      environment,
      own: { ...ports, ...browser?.shown },
      home: ctx.home,
    }),
  }
}

/** A place as its agent is told of it. */
export function agentPlace({ path, root, enter, namespace }: Place): AgentPlace {
  const view = namespace === null ? {} : { view: { path, root, enter } }
  return { cwd: path, roots: [path], mcpServers: [], ...view }
}

/**
 * The agent's memory of this session, on this seat: as it is in the process, or loaded by the agent, or, where the
 * agent cannot, begun again with the transcript as text in front of the next prompt.
 */
export async function openContext(
  work: RunWork,
  run: RunView,
  { seat, at }: { seat: Seat; at: Place },
  listener: AgentListener,
  signal: AbortSignal,
): Promise<{ live: LiveContext; primer: ContentBlock[] }> {
  if (seat.live) {
    seat.live.relay.attach(listener)
    return { live: seat.live, primer: await missedBy(work, run) }
  }
  const place = agentPlace(at)
  const known = work.recorder.view.agents[run.agent] ?? EMPTY_AGENT
  const loaded =
    known.acpSession === null
      ? null
      : await reopen(work, run, seat, known.acpSession, async () => {
          await untilReopenable(work, run, seat, known.openedAt ?? 0, signal)
          return await seat.reopen(known.acpSession ?? '', place, listener, signal)
        })
  if (loaded) return { live: loaded, primer: await missedBy(work, run) }
  const live = await seat.open(place, listener, signal)
  // A run that goes on has a part of its own that the agent must know; one that begins brings its prompt itself.
  const upTo = run.state === 'parked' ? null : run.n
  const before = await transcriptText(work.ctx.store, work.recorder.session.id, upTo)
  await recordOpened(work, run, seat, live, before === null ? 'new' : 'primed')
  return { live, primer: before === null ? [] : [{ type: 'text', text: before }] }
}

/** An agent that comes back after another one worked here is told what it missed. */
async function missedBy(work: RunWork, run: RunView): Promise<ContentBlock[]> {
  const { lastRun, session } = work.recorder.view
  if (!lastRun || lastRun.agent === run.agent || run.state === 'parked') return []
  const text = await missedText(work.ctx.store, session, run.n, run.agent)
  return text === null ? [] : [{ type: 'text', text }]
}

/** Some agents lose a conversation that is loaded too soon after it was made: then the run waits, and says so. */
async function untilReopenable(
  work: RunWork,
  run: RunView,
  seat: Seat,
  openedAt: number,
  signal: AbortSignal,
): Promise<void> {
  const now = work.ctx.now()
  // A clock that was set back must not make it wait for the day it had been.
  const waitMs = reopenableAt(seat.connection.info, Math.min(openedAt, now)) - now
  if (waitMs <= 0) return
  const text = `This agent would lose its memory if it were loaded now; the run begins in ${Math.ceil(waitMs / 1000)} s.`
  work.recorder.push({ type: 'notice.given', run: run.id, data: { level: 'info', text } })
  await setTimeout(waitMs, undefined, { signal })
}

async function reopen(
  work: RunWork,
  run: RunView,
  seat: Seat,
  acpSession: string,
  attempt: () => Promise<LiveContext>,
): Promise<LiveContext | null> {
  try {
    const live = await attempt()
    await recordOpened(work, run, seat, live, 'resumed')
    return live
  } catch (thrown) {
    if (!(thrown instanceof CarrelError) || thrown.code !== 'gone') throw thrown
    const data = {
      agent: run.agent,
      reason: `The agent does not have its conversation ${acpSession} any more: ${thrown.message}`,
    }
    await work.recorder.record({ type: 'context.lost', run: run.id, data })
    return null
  }
}

async function recordOpened(
  work: RunWork,
  run: RunView,
  seat: Seat,
  live: LiveContext,
  how: 'new' | 'resumed' | 'primed',
): Promise<void> {
  const { info } = seat.connection
  const data = {
    agent: run.agent,
    acpSession: live.session.id,
    fingerprint: seat.fingerprint,
    how,
    info,
    opened: live.session.opened,
    keeper: seat.connection.keeper,
  }
  await work.recorder.record({ type: 'context.opened', run: run.id, data })
}

/**
 * Tells the agent the mode and options that people chose: all of them to a fresh conversation, else what is pending.
 * A refusal is written down and the run goes on with what the agent has.
 */
export async function applyConfig(work: RunWork, run: RunView, live: LiveContext, fresh: boolean): Promise<void> {
  const config = settingsFor(work, run, fresh)
  if (!config) return
  let error: string | null = null
  try {
    if (config.mode !== null) await live.session.setMode(config.mode)
    for (const [id, value] of Object.entries(config.options)) {
      const answer = await live.session.setConfigOption(id, value)
      const update = { ...(answer as object), sessionUpdate: 'config_option_update' }
      if (Array.isArray((answer as { configOptions?: unknown } | null)?.configOptions)) {
        work.recorder.push({ type: 'agent.update', run: run.id, data: { acp: 1, agent: run.agent, update } })
      }
    }
  } catch (thrown) {
    error = `The agent did not take the setting: ${messageOf(thrown)}`
  }
  const data = { agent: run.agent, mode: config.mode, options: { ...config.options }, error }
  await work.recorder.record({ type: 'config.applied', run: run.id, data })
}

/** What the agent of a run is still to be told of the settings that people chose; null for nothing. */
function settingsFor({ recorder }: RunWork, run: RunOf, fresh: boolean) {
  const { wanted, pending } = recorder.view.agents[run.agent] ?? EMPTY_AGENT
  const config = fresh ? wanted : pending
  return config && (config.mode !== null || Object.keys(config.options).length > 0) ? config : null
}
