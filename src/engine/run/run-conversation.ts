import { setTimeout } from 'node:timers/promises'
import type { AgentListener, AgentPlace } from '../../host/agent/agent.ts'
import { reopenableAt } from '../../host/agent/quirks.ts'
import type { Place } from '../../host/places/place.ts'
import { CarrelError } from '../../model/errors.ts'
import type { ContentBlock } from '../../model/events/events.ts'
import { EMPTY_AGENT, type RunView } from '../../model/events/view.ts'
import { bestEffort } from '../../primitives/best-effort.ts'
import { messageOf } from '../../primitives/message-of.ts'
import type { AgentSlot, LiveContext } from '../agents/agent-slot.ts'
import { missedText, transcriptText } from './primer.ts'
import type { RunOf } from './run-need.ts'
import type { RunWork } from './run-work.ts'

export interface Opening {
  readonly work: RunWork
  readonly run: RunView
  readonly slot: AgentSlot
  readonly at: Place
  readonly listener: AgentListener
  readonly signal: AbortSignal
}

export function agentPlace({ path, root, identity, enter, namespace }: Place): AgentPlace {
  const view = namespace === null ? {} : { view: { path, root, enter } }
  return { cwd: path, roots: [path], mcpServers: [], ...(identity && { identity }), ...view }
}

/**
 * Opens the agent's memory of a session: from the process that has it open, else loaded by the agent, else in a new
 * conversation with the transcript as text. `primer` is that text, to be sent in front of the next prompt.
 */
export async function openConversation(opening: Opening): Promise<{ live: LiveContext; primer: ContentBlock[] }> {
  const { work, run, slot, at, listener, signal } = opening
  if (slot.live && isNewest(work, run.agent, slot)) {
    slot.live.relay.attach(listener, run.id, 'prompt')
    return { live: slot.live, primer: await missedBy(work, run) }
  }
  // A conversation that lacks a turn is never gone on with.
  if (slot.live) await bestEffort(slot.live.session.close())
  slot.drop()
  const loaded = await reopen(opening)
  if (loaded) return { live: loaded, primer: await missedBy(work, run) }
  const live = await slot.open(agentPlace(at), { run: run.id, listener }, signal)
  // A parked run has a part of its own in the transcript; a new run sends its prompt itself.
  const upTo = run.state === 'parked' ? null : run.n
  const transcript = await transcriptText(work.ctx.store, work.recorder.session.id, upTo)
  await recordOpened(opening, live, transcript === null ? 'new' : 'primed')
  return { live, primer: textBlocks(transcript) }
}

/**
 * Whether the open conversation of a slot has every turn of its agent: the log names the process that opened it last. A
 * turn on another machine, or in another process, is in the memory of that one only.
 */
export function isNewest({ recorder }: RunWork, agent: string, { connection, live }: AgentSlot): boolean {
  const last = recorder.view.agents[agent] ?? EMPTY_AGENT
  return live !== null && last.acpSession === live.session.id && last.keeper === connection.keeper
}

const textBlocks = (text: string | null): ContentBlock[] => (text === null ? [] : [{ type: 'text', text }])

async function missedBy({ ctx, recorder }: RunWork, run: RunView): Promise<ContentBlock[]> {
  const { lastRun, session } = recorder.view
  if (!lastRun || lastRun.agent === run.agent || run.state === 'parked') return []
  return textBlocks(await missedText(ctx.store, session, run.n, run.agent))
}

/**
 * Lets the agent load its conversation; null where it has none, or no longer finds it. A conversation that another
 * machine opened last is not loaded: a copy of it here may lack the turns of that machine.
 */
async function reopen(opening: Opening): Promise<LiveContext | null> {
  const { work, run, slot, at, listener, signal } = opening
  const { acpSession, openedAt, machine } = work.recorder.view.agents[run.agent] ?? EMPTY_AGENT
  const { here, alone } = work.ctx.machines
  if (acpSession === null || (!alone && machine !== undefined && machine !== here.id)) return null
  try {
    await untilReopenable(opening, openedAt ?? 0)
    const live = await slot.reopen(acpSession, agentPlace(at), { run: run.id, listener }, signal)
    await recordOpened(opening, live, 'resumed')
    return live
  } catch (thrown) {
    if (!(thrown instanceof CarrelError) || thrown.code !== 'gone') throw thrown
    await recordLost(work, run, acpSession, thrown)
    return null
  }
}

/** Some agents lose a conversation that is loaded too soon after its creation. Such a run waits, with a notice. */
async function untilReopenable({ work, run, slot, signal }: Opening, openedAt: number): Promise<void> {
  const now = work.ctx.now()
  // A clock that was set back must not delay the run until the old time comes again.
  const waitMs = reopenableAt(slot.connection.info, Math.min(openedAt, now)) - now
  if (waitMs <= 0) return
  const text = `This agent would lose its memory if it were loaded now; the run begins in ${Math.ceil(waitMs / 1000)} s.`
  work.recorder.push({ type: 'notice.given', run: run.id, data: { level: 'info', text } })
  await setTimeout(waitMs, undefined, { signal })
}

/**
 * Drops a conversation that its agent does not know, so that the next one is loaded by the agent. `lost`: loading did
 * not help, so that the next one is new.
 */
export async function forgetConversation(
  { work, run, slot, live }: Pick<Opening, 'work' | 'run' | 'slot'> & { readonly live: LiveContext },
  { lost, error }: { readonly lost: boolean; readonly error: unknown },
): Promise<void> {
  live.relay.detach()
  slot.drop()
  await bestEffort(live.session.close())
  if (lost) await recordLost(work, run, live.session.id, error)
}

async function recordLost({ recorder }: RunWork, run: RunView, acpSession: string, error: unknown): Promise<void> {
  const reason = `The agent no longer has its conversation ${acpSession}: ${messageOf(error)}`
  await recorder.record({ type: 'context.lost', run: run.id, data: { agent: run.agent, reason } })
}

async function recordOpened(
  { work, run, slot }: Opening,
  { session }: LiveContext,
  how: 'new' | 'resumed' | 'primed',
): Promise<void> {
  const { info, keeper } = slot.connection
  const { id: acpSession, opened } = session
  const machine = work.ctx.machines.here.id
  const data = { agent: run.agent, acpSession, fingerprint: slot.fingerprint, how, info, opened, keeper, machine }
  await work.recorder.record({ type: 'context.opened', run: run.id, data })
}

/**
 * Sets the mode and options that people chose: all of them in a new conversation, else only new choices. A refusal of
 * the agent is recorded, and the run goes on with the agent's own settings.
 */
export async function applyConfig(work: RunWork, run: RunView, live: LiveContext, fresh: boolean): Promise<void> {
  const config = configFor(work, run, fresh)
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
    error = `The agent refused the setting: ${messageOf(thrown)}`
  }
  const data = { agent: run.agent, mode: config.mode, options: { ...config.options }, error }
  await work.recorder.record({ type: 'config.applied', run: run.id, data })
}

/** The mode and options that must still be set for a run's agent; null for none. */
export function configFor({ recorder }: RunWork, run: RunOf, fresh: boolean) {
  const { wanted, pending } = recorder.view.agents[run.agent] ?? EMPTY_AGENT
  const config = fresh ? wanted : pending
  return config && (config.mode !== null || Object.keys(config.options).length > 0) ? config : null
}
