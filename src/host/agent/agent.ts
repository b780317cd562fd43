import { join } from 'node:path'
import { CarrelError } from '../../model/errors.ts'
import { isPresent } from '../../primitives/absent-as-null.ts'
import { messageOf } from '../../primitives/message-of.ts'
import { untilAborted } from '../../primitives/on-abort.ts'
import { awakeSignal } from '../../primitives/timers.ts'
import { makeTemporary, temporaryOf } from '../identity/temporary.ts'
import {
  attachKeeper,
  type KeeperOptions,
  type KeptTree,
  newKeeper,
  openSpooled,
  startKeeper,
} from '../keeper/client.ts'
import type { Frame } from '../keeper/spool.ts'
import { type Enclosure, enclose } from '../sandbox/enclose.ts'
import type { AgentConnection, AgentInfo, AgentLaunch } from './contract.ts'
import { endedBy, endText, howItEnded, limitText } from './limits.ts'
import { type Link, openSession, rejoinSession, reopenSession, stateOf } from './opening.ts'
import { type HeldFrame, recall } from './past.ts'
import type { SessionPort } from './session.ts'
import { AgentFailure, type AgentRequest, MAX_FRAME_BYTES, METHOD_NOT_FOUND, openWire, WireError } from './wire.ts'

export type * from './contract.ts'
export { type HeldFrame, leftBehind } from './past.ts'
export { reopenableAt, saysSessionUnknown } from './quirks.ts'
export { AgentFailure } from './wire.ts'

const PROTOCOL_VERSION = 1
const STOP = { eofMs: 500, termMs: 700 }
const EARLY_LIMIT = 1_000
const NOISE_LIMIT = 5
const STOPPED_LIMIT = 50
/** Amount of spooled frames and characters that makes a checkpoint worthwhile. */
const MARK = { frames: 5_000, chars: 4 << 20 }

/**
 * Starts an agent under a keeper and initializes the connection. When this rejects, no process of it is left.
 * @throws unavailable with the reason and the next step, when the agent is missing, ends, does not answer within
 * `initializeTimeoutMs`, or speaks another version of ACP
 */
export async function connectAgent(launch: AgentLaunch): Promise<AgentConnection> {
  const keeper = newKeeper()
  const inside = await enclosed(launch, keeper)
  const link = linkOf(inside.launch, await startTree(inside, keeper))
  listen(link)
  return connectionOf(link, infoOf(await greet(link)))
}

/**
 * Reconnects to an agent of an earlier server process, through its keeper or, without one, through its spool on disk. A
 * connection from the spool ends once all frames are delivered. Null when nothing is left.
 */
export async function resumeAgent(keeper: string, asked: AgentLaunch): Promise<AgentConnection | null> {
  if (!isPresent(join(asked.keepers, keeper))) return null
  const { launch } = await enclosed(asked, keeper)
  const options = keeperOptions(launch)
  const attached = await attachKeeper(keeper, options)
  // A keeper may die while it replays: the spool has its frames.
  const link =
    (attached && (await recalled(launch, attached))) ?? (await recalled(launch, await openSpooled(keeper, options)))
  if (!link) return null
  endsWith(link)
  return connectionOf(link, infoOf(link.past?.info))
}

/** Reads the spooled frames of a tree; null when it ends before their end. */
async function recalled(launch: AgentLaunch, tree: KeptTree | null): Promise<Link | null> {
  if (!tree) return null
  const frames: Frame[] = []
  const live = Promise.withResolvers<Link>()
  let link: Link | null = null
  tree.listen({
    frame: (frame) => {
      if (!link) frames.push(frame)
      else takeFrame(link, frame)
    },
    // Synchronous, because the next frame already needs the link.
    replayed: () => {
      const past = recall(tree.checkpoint, frames)
      link = linkOf(launch, tree, past.next)
      Object.assign(link, { past, seen: past.upTo })
      live.resolve(link)
    },
    tooLarge: () => link && tooLarge(link),
    stopped: (target) => link && stopped(link, target),
    reached: (reached) => link && tellAll(link, limitText(reached), { reached }),
  })
  return await Promise.race([live.promise, tree.exited.then(() => link)])
}

function linkOf(launch: AgentLaunch, tree: KeptTree, next = 1): Link {
  const link: Link = {
    launch,
    tree,
    ports: new Map(),
    early: new Map(),
    prompts: new Map(),
    opening: 0,
    noises: 0,
    stopped: new Set(),
    seen: 0,
    spooled: { frames: 0, chars: 0 },
    marked: 0,
    past: null,
    claims: new Map(),
    onRecorded: () => undefined,
    wire: null as unknown as Link['wire'],
  }
  return Object.assign(link, { wire: openWire(tree.send, handlersOf(link), next) })
}

function listen(link: Link): void {
  link.tree.listen({
    frame: (frame) => takeFrame(link, frame),
    replayed: () => undefined,
    tooLarge: () => tooLarge(link),
    stopped: (target) => stopped(link, target),
    reached: (reached) => tellAll(link, limitText(reached), { reached }),
  })
  endsWith(link)
}

function takeFrame(link: Link, { dir, tag, line, no }: Frame): void {
  if (dir === 'out') return tag === '' ? undefined : promptReached(link, tag, no)
  link.seen = no
  link.spooled.frames += 1
  link.spooled.chars += line.length
  link.wire.take(line, no)
}

/** The keeper sends each frame of this server back, in order with those of the agent. */
function promptReached(link: Link, tag: string, no: number): void {
  const prompt = [...link.prompts.values()].findLast((each) => each.tag === tag)
  if (!prompt) return
  link.prompts.set(prompt.id, { ...prompt, no })
  link.ports.get(prompt.session)?.listener.prompted(tag, no)
}

function endsWith({ launch, tree, wire, ports }: Link): void {
  void tree.exited.then((exit) => {
    const reached = endedBy(exit)
    const text = endText(launch.name, exit)
    wire.fail(new AgentFailure(text, { stderrTail: exit.stderrTail, ...(reached && { reached }) }))
    for (const port of ports.values()) port.end()
  })
}

function connectionOf(link: Link, info: AgentInfo): AgentConnection {
  const { tree, launch } = link
  link.onRecorded = () => markRecorded(link, info)
  return {
    info,
    keeper: tree.keeper,
    heardBefore: link.past?.upTo ?? 0,
    pid: tree.pid,
    temporary: launch.env.TMPDIR ?? '',
    exited: tree.exited,
    get usable() {
      return !link.wire.failed
    },
    open: (place, listener, signal) => openSession(link, info, { place, listener, signal }),
    reopen: (id, place, listener, signal) => reopenSession(link, info, { id, place, listener, signal }),
    rejoin: (id, place, listener) => rejoinSession(link, info, { id, place, listener }),
    limits: tree.limits,
    leave: tree.leave,
    forget: tree.forget,
    stop: () => tree.stop(STOP),
    kill: tree.kill,
    stderrTail: tree.stderrTail,
    descendants: tree.descendants,
    killDescendantsBornAfter: tree.killDescendantsBornAfter,
  }
}

/** Lets the keeper forget everything that all sessions have recorded, when that is worth a new file. */
function markRecorded(link: Link, info: AgentInfo): void {
  const { frames, chars } = link.spooled
  if (frames < MARK.frames && chars < MARK.chars) return
  const waiting = [...link.ports.values()].map(({ recorded }) => recorded)
  const upTo = Math.min(link.seen, (link.wire.unanswered ?? Number.POSITIVE_INFINITY) - 1, ...waiting)
  if (upTo <= link.marked || link.past?.held.size) return
  link.marked = upTo
  link.spooled = { frames: 0, chars: 0 }
  link.tree.mark({ upTo, state: stateOf(link, info) })
}

const keeperOptions = ({ keepers, ledger, containment, now, compiled }: AgentLaunch): KeeperOptions => ({
  keepers,
  ledger,
  containment,
  now,
  compiled,
  maxFrameBytes: MAX_FRAME_BYTES,
})

/** Returns the launch inside its sandbox, with its temporary folder. The result is stable across servers. */
async function enclosed(
  launch: AgentLaunch,
  keeper: string,
): Promise<{ launch: AgentLaunch; proxy: Enclosure['proxy'] }> {
  if (!launch.sandbox) {
    const temporary = await makeTemporary(temporaryOf(launch.keepers, keeper))
    return { launch: { ...launch, env: { ...launch.env, ...temporary } }, proxy: null }
  }
  const { containment, env, proxy } = await enclose(launch.sandbox, join(launch.keepers, keeper), launch.env)
  return { launch: { ...launch, containment, env, cwd: launch.sandbox.place.path }, proxy }
}

async function startTree({ launch, proxy }: Awaited<ReturnType<typeof enclosed>>, keeper: string): Promise<KeptTree> {
  const { command, args, cwd, enter = [], env, name, graceMs } = launch
  const cgroup = launch.cgroup?.(`carrel-${keeper}`) ?? null
  const stderrPath = launch.logFolder === null ? null : join(launch.logFolder, 'stderr.log')
  const limits = { graceMs, deadlineAt: null }
  try {
    const secrets = launch.hide ?? []
    const kept = { command, args, cwd, enter, env, label: name, stderrPath, limits, secrets, proxy, cgroup }
    return await startKeeper(kept, keeperOptions(launch), keeper)
  } catch (cause) {
    const why = messageOf(cause)
    const text = `${launch.name} could not be started in ${launch.cwd}: ${why}`
    throw new CarrelError('unavailable', text, { agent: launch.id }, cause)
  }
}

function handlersOf(link: Link) {
  const { launch } = link
  return {
    notification: (method: string, params: unknown, no: number) => {
      if (method === 'session/update') takeUpdate(link, params, no)
    },
    request: async (call: AgentRequest, signal: AbortSignal) => {
      const { method, params } = call
      const id = (params as { sessionId?: unknown } | null)?.sessionId
      const port = typeof id === 'string' ? link.ports.get(id) : undefined
      if (port) return await port.takeRequest(call, signal)
      if (typeof id === 'string' && link.past?.sessions.has(id))
        return await (await claimed(link, id)).takeRequest(call, signal)
      if (/^(session|fs|terminal|elicitation)\//.test(method)) throw new WireError(-32602, `There is no session ${id}.`)
      throw new WireError(METHOD_NOT_FOUND, `Carrel does not know ${method}.`)
    },
    noise: (text: string, sample: string) => {
      link.noises += 1
      if (link.noises <= NOISE_LIMIT) tellAll(link, text, { sample })
    },
    thrown: (error: unknown) => {
      const why = messageOf(error)
      const text = `${launch.name} was stopped, because its messages could not be stored: ${why}`
      link.wire.fail(new AgentFailure(text, { cause: error }))
      void link.tree.kill()
    },
    ...(launch.onFrame ? { frame: launch.onFrame } : {}),
  }
}

function tellAll(link: Link, text: string, data?: unknown): void {
  for (const port of link.ports.values()) port.listener.notice(text, data)
}

/** Reports each target once: a blocked program may retry forever. */
function stopped(link: Link, target: string): void {
  if (link.stopped.has(target) || link.stopped.size >= STOPPED_LIMIT) return
  link.stopped.add(target)
  const text = `The sandbox blocked a connection to ${target}. To allow it, add the host to the hosts of this Space.`
  tellAll(link, text, { stopped: target })
}

function tooLarge(link: Link): void {
  const text = `${link.launch.name} sent a message of more than 32 MiB and was stopped. Send the prompt again to restart it.`
  tellAll(link, text)
  link.wire.fail(new AgentFailure(text, { stderrTail: link.tree.stderrTail() }))
  void link.tree.kill()
}

/** Waits until a session of an earlier server process is taken over. */
async function claimed(link: Link, id: string): Promise<SessionPort> {
  await new Promise<void>((resolve) => {
    const before = link.claims.get(id)
    link.claims.set(id, () => {
      before?.()
      resolve()
    })
  })
  return link.ports.get(id) as SessionPort
}

function hold({ past }: Link, id: string, frame: HeldFrame): void {
  const held = past?.held.get(id) ?? []
  held.push(frame)
  past?.held.set(id, held)
}

function takeUpdate(link: Link, params: unknown, no: number): void {
  const { sessionId, update } = (params ?? {}) as { sessionId?: unknown; update?: unknown }
  if (typeof sessionId !== 'string') return
  const port = link.ports.get(sessionId)
  if (port) return port.takeUpdate(update, no)
  if (link.past?.sessions.has(sessionId)) return hold(link, sessionId, { no, kind: 'update', update })
  if (link.opening === 0) return
  const waiting = link.early.get(sessionId) ?? []
  if (waiting.length < EARLY_LIMIT) waiting.push({ no, kind: 'update', update })
  link.early.set(sessionId, waiting)
}

async function greet(link: Link): Promise<unknown> {
  const { launch, tree, wire } = link
  const asked = wire.request('initialize', {
    protocolVersion: PROTOCOL_VERSION,
    clientCapabilities: { fs: { readTextFile: true, writeTextFile: true }, terminal: true, elicitation: { form: {} } },
    clientInfo: { name: launch.clientName, title: 'Carrel', version: launch.clientVersion },
  })
  try {
    const raw = (await inTime(asked, launch)) as Record<string, unknown> | null
    if (raw?.protocolVersion === PROTOCOL_VERSION) return raw
    if (raw?.protocolVersion === undefined) {
      const text = `${launch.name} did not start: its first answer names no version of the Agent Client Protocol.`
      throw new CarrelError('unavailable', `${text} Check its command and arguments.`, { agent: launch.id })
    }
    const text = `${launch.name} speaks version ${raw?.protocolVersion} of the Agent Client Protocol, Carrel speaks 1. Install a version of it that speaks 1.`
    throw new CarrelError('unavailable', text, { agent: launch.id })
  } catch (thrown) {
    await tree.kill()
    const failure = await startFailure(thrown, launch, tree)
    await tree.forget()
    throw failure
  }
}

function infoOf(raw: unknown): AgentInfo {
  const message = (raw ?? {}) as Record<string, unknown>
  return {
    protocolVersion: Number(message.protocolVersion),
    agentInfo: (message.agentInfo ?? null) as AgentInfo['agentInfo'],
    agentCapabilities: (message.agentCapabilities ?? {}) as Record<string, unknown>,
    authMethods: Array.isArray(message.authMethods) ? message.authMethods : [],
  }
}

async function inTime(asked: Promise<unknown>, { initializeTimeoutMs, name, signal }: AgentLaunch): Promise<unknown> {
  const late = awakeSignal(initializeTimeoutMs)
  const off = AbortSignal.any([late, signal])
  const text = () =>
    late.aborted
      ? `${name} did not answer within ${Math.round(initializeTimeoutMs / 1000)} s. Try it in a terminal; it may wait for a login or a download.`
      : `The start of ${name} was called off.`
  return await untilAborted(asked, off, () => new CarrelError('unavailable', text()))
}

async function startFailure(thrown: unknown, launch: AgentLaunch, tree: KeptTree): Promise<unknown> {
  if (!(thrown instanceof AgentFailure)) return thrown
  const exit = await tree.exited
  const stderrTail = exit.stderrTail
  const reached = endedBy(exit)
  const data = { agent: launch.id, stderrTail, code: thrown.code, ...(reached && { reached }) }
  if (exit.code === 127) {
    const todo = launch.install
      ? ` To install it: ${launch.install}`
      : ' Install it, or correct its command in the configuration.'
    const text = `${launch.name} is not installed: ${launch.command} was not found.${todo}`
    return new CarrelError('unavailable', text, data, thrown)
  }
  const lastLine = stderrTail.trim().split('\n').at(-1) ?? ''
  if (reached || exit.closed) return new CarrelError('unavailable', endText(launch.name, exit), data, thrown)
  const why = thrown.code === undefined ? howItEnded(exit) : thrown.message
  const message = lastLine === '' ? '' : ` It said: ${lastLine.slice(0, 300)}`
  return new CarrelError('unavailable', `${launch.name} did not start (${why}).${message}`, data, thrown)
}
