import { setTimeout } from 'node:timers/promises'
import { CarrelError } from '../../model/errors.ts'
import { untilAborted } from '../../primitives/on-abort.ts'
import type { KeptTree } from '../keeper/client.ts'
import type { AgentInfo, AgentLaunch, AgentListener, AgentPlace, AgentSession, Rejoined } from './contract.ts'
import type { HeldFrame, PastPrompt, PastState, Recalled } from './past.ts'
import { readsMissingAsEmpty } from './quirks.ts'
import { promptAnswer, type SessionPort, sessionPort, withStderr } from './session.ts'
import { AgentFailure, type AgentWire, AUTH_REQUIRED, failureFrom, METHOD_NOT_FOUND } from './wire.ts'

/** A replay without an end marker counts as over after this long without an update. ms. */
const QUIET_MS = 300

/** State that the parts of one connection share. */
export interface Link {
  readonly launch: AgentLaunch
  readonly tree: KeptTree
  readonly ports: Map<string, SessionPort>
  /** Updates of sessions whose opening is not answered yet: some agents send them before the answer. */
  readonly early: Map<string, HeldFrame[]>
  opening: number
  noises: number
  /** Targets that the sandbox blocked and that were reported. */
  readonly stopped: Set<string>
  /** Number of the newest frame from the agent. */
  seen: number
  readonly wire: AgentWire
  /** Amount of frames since the last checkpoint that the keeper received. */
  spooled: { frames: number; chars: number }
  /** Last frame of that checkpoint. */
  marked: number
  /** Sessions of an earlier server process that nothing has taken over yet. */
  past: Recalled | null
  /** Callbacks for when such a session is taken over. */
  readonly claims: Map<string, () => void>
  /** Own prompts that are unanswered, or whose run is not recorded to its end. */
  readonly prompts: Map<number, PastPrompt>
  onRecorded(): void
}

interface Opening {
  readonly place: AgentPlace
  readonly listener: AgentListener
  readonly signal: AbortSignal
}

export async function openSession(
  link: Link,
  info: AgentInfo,
  { place, listener, signal }: Opening,
): Promise<AgentSession> {
  link.opening += 1
  let session: AgentSession | undefined
  let calledOff = false
  try {
    // Registration happens while the answer is read, so that the next frame finds its session.
    const onResult = (raw: unknown) => {
      const id = (raw as { sessionId?: unknown } | null)?.sessionId
      if (typeof id === 'string') session = register(link, info, { id, place, listener, replaying: false }).face(raw)
      // A late answer must not leave a session behind.
      if (calledOff) void session?.close()
    }
    const asked = link.wire.request('session/new', placeParams(place), { onResult })
    await untilAborted(
      asked,
      signal,
      () => new CarrelError('unavailable', `Opening a session with ${link.launch.name} was called off.`),
    )
    if (session) return session
    throw new AgentFailure(`${link.launch.name} opened a session without an id.`)
  } catch (thrown) {
    calledOff = true
    throw openFailure(thrown, link)
  } finally {
    link.opening -= 1
    if (link.opening === 0) link.early.clear()
  }
}

function register(
  link: Link,
  info: AgentInfo,
  one: { id: string; place: AgentPlace; listener: AgentListener; replaying: boolean },
): SessionPort {
  const { id, place, listener } = one
  const port = sessionPort({
    id,
    place,
    listener,
    wire: link.wire,
    launch: link.launch,
    cgroup: link.tree.cgroup,
    canClose: offers(info, 'close'),
    lenientReads: readsMissingAsEmpty(info),
    stderrTail: link.tree.stderrTail,
    prompts: link.prompts,
    seen: () => link.seen,
    onRecorded: () => link.onRecorded(),
    forget: () => link.ports.get(id) === port && link.ports.delete(id),
  })
  port.replaying = one.replaying
  link.ports.set(id, port)
  for (const held of link.early.get(id) ?? []) if (held.kind === 'update') port.takeUpdate(held.update, held.no)
  link.early.delete(id)
  return port
}

/** Delivers all held updates in order; unanswered prompts and questions stay open. @see AgentConnection.rejoin */
export function rejoinSession(
  link: Link,
  info: AgentInfo,
  one: { id: string; place: AgentPlace; listener: AgentListener },
): Rejoined | null {
  const { past } = link
  const opened = past?.sessions.get(one.id)
  if (!past || opened === undefined) return null
  // Prompts are adopted before any update is delivered: their answers wait until all earlier updates are delivered.
  const prompts = past.prompts.filter(({ session }) => session === one.id).map((prompt) => adopt(link, prompt))
  const port = register(link, info, { ...one, replaying: false })
  port.recorded = 0
  const session = port.face(opened)
  const own = past.prompts.filter((prompt) => prompt.session === one.id)
  const sent = own.map(({ tag, no }) => ({ kind: 'prompt' as const, tag, no }))
  for (const held of [...sent, ...(past.held.get(one.id) ?? [])].sort((a, b) => a.no - b.no)) {
    if (held.kind === 'prompt') port.listener.prompted(held.tag, held.no)
    else if (held.kind === 'update') port.takeUpdate(held.update, held.no)
    // A failed agent cannot receive an answer.
    else if (!link.wire.failed) link.wire.serve(held)
  }
  past.sessions.delete(one.id)
  past.held.delete(one.id)
  link.claims.get(one.id)?.()
  return { session, prompts }
}

function adopt(link: Link, prompt: PastPrompt) {
  const { id, tag, answer } = prompt
  link.prompts.set(id, prompt)
  const raw =
    answer === null
      ? link.wire.adopt(id)
      : 'error' in answer
        ? Promise.reject(failureFrom(answer.error))
        : Promise.resolve(answer.result)
  const answered = raw.then(promptAnswer)
  // The caller that rejoins handles the rejection when its turn comes.
  answered.catch(() => undefined)
  return { tag, answer: answered }
}

/** Returns the state that all frames so far amount to, for a later server. */
export function stateOf(link: Link, info: unknown): PastState {
  const sessions = [...link.ports.entries()].map(([id, port]) => [id, port.opened] as const)
  const past = link.past?.sessions ?? new Map<string, unknown>()
  const waiting = link.past?.prompts.filter(({ session }) => past.has(session)) ?? []
  return {
    info,
    next: link.wire.next,
    sessions: [...sessions, ...past],
    prompts: [...link.prompts.values(), ...waiting],
  }
}

export async function reopenSession(
  link: Link,
  info: AgentInfo,
  { id, place, listener, signal }: Opening & { readonly id: string },
): Promise<AgentSession> {
  const methods = [
    offers(info, 'resume') ? 'session/resume' : '',
    info.agentCapabilities.loadSession === true ? 'session/load' : '',
  ]
  const port = register(link, info, { id, place, listener, replaying: true })
  for (const method of methods.filter((one) => one !== '')) {
    try {
      const asked = link.wire.request(method, { sessionId: id, ...placeParams(place) })
      const raw = await untilAborted(
        asked,
        signal,
        () => new CarrelError('unavailable', `Reopening a session with ${link.launch.name} was called off.`),
      )
      // A resume replays nothing. Some agents answer a load first, or in the middle, and replay the past afterwards.
      if (method === 'session/load') await untilQuiet(port, signal)
      return port.face(raw)
    } catch (thrown) {
      if (thrown instanceof AgentFailure && thrown.code === METHOD_NOT_FOUND) continue
      link.ports.delete(id)
      if (!(thrown instanceof AgentFailure) || thrown.code === undefined || thrown.code === AUTH_REQUIRED)
        throw openFailure(thrown, link)
      const text = `${link.launch.name} no longer knows this conversation.`
      throw new CarrelError('gone', text, { session: id, said: thrown.message }, thrown)
    }
  }
  link.ports.delete(id)
  throw new CarrelError('gone', `${link.launch.name} cannot reopen an earlier conversation.`, { session: id })
}

/** Waits until no replayed update arrives for a moment. */
async function untilQuiet(port: SessionPort, signal: AbortSignal): Promise<void> {
  for (let before = -1; before !== port.updates; ) {
    before = port.updates
    await setTimeout(QUIET_MS, undefined, { signal })
  }
}

function openFailure(thrown: unknown, { launch, tree }: Link): unknown {
  if (!(thrown instanceof AgentFailure)) return thrown
  if (thrown.code === undefined) return withStderr(thrown, tree.stderrTail())
  const data = { agent: launch.id, code: thrown.code, stderrTail: tree.stderrTail() }
  if (thrown.code !== AUTH_REQUIRED)
    return new CarrelError('unavailable', `${launch.name} did not open a session: ${thrown.message}`, data, thrown)
  const todo = launch.login ? `: ${launch.login}` : ' with its own program in a terminal, then try again.'
  return new CarrelError('unavailable', `${launch.name} needs a login. Log in${todo}`, data, thrown)
}

function offers(info: AgentInfo, verb: string): boolean {
  const offered = info.agentCapabilities.sessionCapabilities as Record<string, unknown> | null | undefined
  return offered?.[verb] !== undefined && offered[verb] !== null && offered[verb] !== false
}

const placeParams = ({ cwd, mcpServers, additionalDirectories }: AgentPlace): object => ({
  cwd,
  mcpServers,
  ...(additionalDirectories?.length ? { additionalDirectories } : {}),
})
