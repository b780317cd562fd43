import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { CarrelError } from '../model/errors.ts'
import type {
  AgentConnection,
  AgentInfo,
  AgentLaunch,
  AgentListener,
  AgentPlace,
  AgentSession,
} from './agent-contract.ts'
import { readsMissingAsEmpty, replaysAfterAnswer } from './agent-quirks.ts'
import { type SessionPort, sessionPort, withStderr } from './agent-session.ts'
import { AgentFailure, AUTH_REQUIRED, METHOD_NOT_FOUND, openWire, type Wire, WireError } from './agent-wire.ts'
import { type ChildTree, type Exit, spawnTree } from './process.ts'

export type * from './agent-contract.ts'
export { reopenableAt } from './agent-quirks.ts'
export { AgentFailure } from './agent-wire.ts'
export type { Exit } from './process.ts'

const PROTOCOL_VERSION = 1
const STOP = { eofMs: 500, termMs: 700 }
const EARLY_LIMIT = 1_000
const NOISE_LIMIT = 5
/** A replay whose end is not said counts as over after so long without a word. ms. */
const QUIET_MS = 300

/** What the parts of one connection share. */
interface Link {
  readonly launch: AgentLaunch
  readonly tree: ChildTree
  readonly ports: Map<string, SessionPort>
  /** Updates of sessions whose opening has not been answered yet: some agents speak before they answer. */
  readonly early: Map<string, unknown[]>
  opening: number
  noises: number
  readonly wire: Wire
}

/**
 * Starts an agent and greets it. When this rejects, nothing of it runs any more.
 *
 * @throws unavailable with the reason and what to do, when the agent is not there, ends, does not answer in
 * `initializeTimeoutMs`, or speaks another version of ACP
 */
export async function connectAgent(launch: AgentLaunch): Promise<AgentConnection> {
  const tree = await startTree(launch)
  const ports: Link['ports'] = new Map()
  const link: Link = { launch, tree, ports, early: new Map(), opening: 0, noises: 0, wire: null as unknown as Wire }
  const wire = openWire(tree.stdout, tree.stdin, handlersOf(link))
  Object.assign(link, { wire })
  void tree.exited.then((exit) => {
    wire.fail(
      new AgentFailure(`${launch.name} ended in the middle of its work (${howItEnded(exit)}).`, {
        stderrTail: exit.stderrTail,
      }),
    )
    for (const port of ports.values()) port.end()
  })
  const info = await greet(link)
  return {
    info,
    pid: tree.pid,
    exited: tree.exited,
    get usable() {
      return !link.wire.failed
    },
    open: (place, listener, signal) => openSession(link, info, place, listener, signal),
    reopen: (id, place, listener, signal) => reopenSession(link, info, { id, place, listener, signal }),
    stop: () => tree.stop(STOP),
    kill: tree.kill,
    stderrTail: tree.stderrTail,
    descendants: tree.descendants,
    killDescendantsBornAfter: tree.killDescendantsBornAfter,
  }
}

async function startTree(launch: AgentLaunch): Promise<ChildTree> {
  try {
    return await spawnTree({
      command: launch.command,
      args: launch.args,
      cwd: launch.cwd,
      env: launch.env,
      containment: launch.containment,
      ledger: launch.ledger,
      label: launch.name,
      now: launch.now,
      ...(launch.logFolder === null ? {} : { stderrPath: join(launch.logFolder, 'stderr.log') }),
    })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new CarrelError(
      'unavailable',
      `${launch.name} could not be started in ${launch.cwd}: ${why}`,
      { agent: launch.id },
      cause,
    )
  }
}

function handlersOf(link: Link) {
  const { launch } = link
  const tellAll = (text: string, data: unknown) => {
    for (const port of link.ports.values()) port.listener.notice(text, data)
  }
  return {
    notification: (method: string, params: unknown) => {
      if (method === 'session/update') takeUpdate(link, params)
    },
    request: async (method: string, params: unknown, signal: AbortSignal) => {
      const id = (params as { sessionId?: unknown } | null)?.sessionId
      const port = typeof id === 'string' ? link.ports.get(id) : undefined
      if (port) return await port.takeRequest(method, params, signal)
      if (/^(session|fs|terminal|elicitation)\//.test(method)) throw new WireError(-32602, `There is no session ${id}.`)
      throw new WireError(METHOD_NOT_FOUND, `Carrel does not know ${method}.`)
    },
    noise: (text: string, sample: string) => {
      link.noises += 1
      if (link.noises <= NOISE_LIMIT) tellAll(text, { sample })
    },
    tooLarge: () => {
      const text = `${launch.name} sent a message of more than 32 MiB and was stopped. Send the prompt again to start it anew.`
      tellAll(text, undefined)
      link.wire.fail(new AgentFailure(text, { stderrTail: link.tree.stderrTail() }))
      void link.tree.kill()
    },
    thrown: (error: unknown) => {
      const why = error instanceof Error ? error.message : String(error)
      const text = `What ${launch.name} said could not be kept, so it was stopped: ${why}`
      link.wire.fail(new AgentFailure(text, { cause: error }))
      void link.tree.kill()
    },
    ...(launch.onFrame ? { frame: launch.onFrame } : {}),
  }
}

function takeUpdate(link: Link, params: unknown): void {
  const { sessionId, update } = (params ?? {}) as { sessionId?: unknown; update?: unknown }
  if (typeof sessionId !== 'string') return
  const port = link.ports.get(sessionId)
  if (port) return port.takeUpdate(update)
  if (link.opening === 0) return
  const waiting = link.early.get(sessionId) ?? []
  if (waiting.length < EARLY_LIMIT) waiting.push(update)
  link.early.set(sessionId, waiting)
}

async function greet(link: Link): Promise<AgentInfo> {
  const { launch, tree, wire } = link
  const asked = wire.request('initialize', {
    protocolVersion: PROTOCOL_VERSION,
    clientCapabilities: { fs: { readTextFile: true, writeTextFile: true }, terminal: true, elicitation: { form: {} } },
    clientInfo: { name: launch.clientName, title: 'Carrel', version: launch.clientVersion },
  })
  try {
    const raw = (await inTime(asked, launch)) as Record<string, unknown> | null
    const info = {
      protocolVersion: Number(raw?.protocolVersion),
      agentInfo: (raw?.agentInfo ?? null) as AgentInfo['agentInfo'],
      agentCapabilities: (raw?.agentCapabilities ?? {}) as Record<string, unknown>,
      authMethods: Array.isArray(raw?.authMethods) ? raw.authMethods : [],
    }
    if (info.protocolVersion === PROTOCOL_VERSION) return info
    const text = `${launch.name} speaks version ${raw?.protocolVersion} of the Agent Client Protocol, Carrel speaks 1. Install a version of it that speaks 1.`
    throw new CarrelError('unavailable', text, { agent: launch.id })
  } catch (thrown) {
    await tree.kill()
    throw await startFailure(thrown, launch, tree)
  }
}

async function inTime(asked: Promise<unknown>, { initializeTimeoutMs, name, signal }: AgentLaunch): Promise<unknown> {
  const late = AbortSignal.timeout(initializeTimeoutMs)
  const off = AbortSignal.any([late, signal])
  const text = () =>
    late.aborted
      ? `${name} did not answer within ${Math.round(initializeTimeoutMs / 1000)} s. Try it in a terminal; it may wait for a login or a download.`
      : `The start of ${name} was called off.`
  return await untilAborted(asked, off, () => new CarrelError('unavailable', text()))
}

async function startFailure(thrown: unknown, launch: AgentLaunch, tree: ChildTree): Promise<unknown> {
  if (!(thrown instanceof AgentFailure)) return thrown
  const exit = await tree.exited
  const stderrTail = exit.stderrTail
  const data = { agent: launch.id, stderrTail, code: thrown.code }
  if (exit.code === 127) {
    const todo = launch.install
      ? ` To install it: ${launch.install}`
      : ' Install it, or correct its command in the configuration.'
    return new CarrelError(
      'unavailable',
      `${launch.name} is not there: ${launch.command} was not found.${todo}`,
      data,
      thrown,
    )
  }
  const lastLine = stderrTail.trim().split('\n').at(-1) ?? ''
  const why = thrown.code === undefined ? howItEnded(exit) : thrown.message
  const said = lastLine === '' ? '' : ` It said: ${lastLine.slice(0, 300)}`
  return new CarrelError('unavailable', `${launch.name} did not start (${why}).${said}`, data, thrown)
}

async function openSession(
  link: Link,
  info: AgentInfo,
  place: AgentPlace,
  listener: AgentListener,
  signal: AbortSignal,
): Promise<AgentSession> {
  link.opening += 1
  let session: AgentSession | undefined
  let calledOff = false
  try {
    // Registered while the answer is read, so that no frame behind it finds nobody.
    const asked = link.wire.request('session/new', placeParams(place), (raw) => {
      const id = (raw as { sessionId?: unknown } | null)?.sessionId
      if (typeof id === 'string') session = register(link, info, { id, place, listener, replaying: false }).face(raw)
      // An answer that comes after all must not leave a session behind.
      if (calledOff) void session?.close()
    })
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
    canClose: offers(info, 'close'),
    lenientReads: readsMissingAsEmpty(info),
    stderrTail: link.tree.stderrTail,
    forget: () => link.ports.get(id) === port && link.ports.delete(id),
  })
  port.replaying = one.replaying
  link.ports.set(id, port)
  for (const update of link.early.get(id) ?? []) port.takeUpdate(update)
  link.early.delete(id)
  return port
}

interface Reopening {
  readonly id: string
  readonly place: AgentPlace
  readonly listener: AgentListener
  readonly signal: AbortSignal
}

async function reopenSession(
  link: Link,
  info: AgentInfo,
  { id, place, listener, signal }: Reopening,
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
      if (replaysAfterAnswer(info)) await untilQuiet(port, signal)
      return port.face(raw)
    } catch (thrown) {
      if (thrown instanceof AgentFailure && thrown.code === METHOD_NOT_FOUND) continue
      link.ports.delete(id)
      if (!(thrown instanceof AgentFailure) || thrown.code === undefined || thrown.code === AUTH_REQUIRED)
        throw openFailure(thrown, link)
      throw new CarrelError(
        'gone',
        `${link.launch.name} does not know this conversation any more.`,
        { session: id, said: thrown.message },
        thrown,
      )
    }
  }
  link.ports.delete(id)
  throw new CarrelError('gone', `${link.launch.name} cannot take up an earlier conversation.`, { session: id })
}

/** Waits until nothing more of the past comes for a moment. */
async function untilQuiet(port: SessionPort, signal: AbortSignal): Promise<void> {
  for (let before = -1; before !== port.heard; ) {
    before = port.heard
    await setTimeout(QUIET_MS, undefined, { signal })
  }
}

function openFailure(thrown: unknown, { launch, tree }: Link): unknown {
  if (!(thrown instanceof AgentFailure)) return thrown
  if (thrown.code === undefined) return withStderr(thrown, tree.stderrTail())
  const data = { agent: launch.id, code: thrown.code, stderrTail: tree.stderrTail() }
  if (thrown.code !== AUTH_REQUIRED) {
    return new CarrelError('unavailable', `${launch.name} did not open a session: ${thrown.message}`, data, thrown)
  }
  const todo = launch.login ? `: ${launch.login}` : ' with its own program in a terminal, then try again.'
  return new CarrelError('unavailable', `${launch.name} wants a login. Log in${todo}`, data, thrown)
}

function offers(info: AgentInfo, verb: string): boolean {
  const offered = info.agentCapabilities.sessionCapabilities as Record<string, unknown> | null | undefined
  return offered?.[verb] !== undefined && offered[verb] !== null && offered[verb] !== false
}

function placeParams({ cwd, mcpServers, additionalDirectories }: AgentPlace): object {
  return { cwd, mcpServers, ...(additionalDirectories?.length ? { additionalDirectories } : {}) }
}

async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal, failure: () => Error): Promise<T> {
  if (signal.aborted) {
    promise.catch(() => undefined)
    throw failure()
  }
  let leave = () => {}
  const off = new Promise<never>((_, reject) => {
    leave = () => reject(failure())
    signal.addEventListener('abort', leave, { once: true })
  })
  try {
    return await Promise.race([promise, off])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}

function howItEnded({ code, signal }: Exit): string {
  return signal === null ? `exit code ${code}` : signal
}
