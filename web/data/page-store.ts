import type { Followed, FollowTarget, Input, OperationName, Output } from '../../src/api/index.ts'
import type { Client, Connection } from '../../src/client/client.ts'
import { asCarrelError, CarrelError } from '../../src/model/errors.ts'
import type { Event } from '../../src/model/events.ts'
import type { SessionId, WorkspaceId } from '../../src/model/ids.ts'
import type { Workspace } from '../../src/model/tree.ts'
import { foldWorkspace, type WorkspaceEvent, type WorkspaceView } from '../../src/model/workspace-log.ts'
import { texts } from '../texts/texts.ts'
import { inFrames } from './frames.ts'
import { FIRST_SESSIONS, olderQuery, type SessionsCursor, withSessions } from './older-sessions.ts'
import {
  fromPage,
  KEPT_ITEMS,
  MOST_ITEMS,
  type SessionData,
  withEvents,
  withNewest,
  withOlder,
} from './session-data.ts'

/** Everything the page shows that the server decides. One object, replaced as a whole, never copied by hand. */
export interface PageState {
  readonly phase: 'loading' | 'login' | 'broken' | 'ready'
  /** Why there is nothing to show, in the phase `broken`. */
  readonly problem: CarrelError | null
  readonly workspaces: readonly Workspace[]
  readonly workspaceId: WorkspaceId | null
  readonly workspace: WorkspaceView | null
  /** Older sessions exist than those in the workspace. */
  readonly moreSessions: boolean
  /** Sessions that were opened, by their id; only the open one is followed. */
  readonly sessions: Readonly<Record<string, SessionData>>
  readonly open: SessionId | null
  /** Why the open session is not here. */
  readonly openProblem: CarrelError | null
  readonly connection: Connection
  /** The stream has said all there was. False from a cut until then. */
  readonly synced: boolean
  /** Grows whenever files may have changed: when the server says so, and when it could not for a while. */
  readonly files: number
  /** Grows likewise whenever runs with a browser may be others. */
  readonly browsers: number
}

export interface Page {
  readonly state: () => PageState
  readonly subscribe: (listener: () => void) => () => void
  readonly call: <N extends OperationName>(name: N, input: Input<N>) => Promise<Output<N>>
  /** Loads the workspace and begins to follow. Also the way to try again. */
  readonly start: (workspace?: string) => Promise<void>
  /** Shows a session: loads it, and follows it instead of the one before. */
  readonly show: (session: SessionId | null) => void
  /** Brings older items of the open session. One at a time. */
  readonly loadOlder: () => Promise<void>
  /** Lets the oldest items of the open session go where they are many. For those who read the newest. */
  readonly letGo: () => void
  /** Brings older sessions into the workspace. One page at a time. */
  readonly loadSessions: () => Promise<void>
  readonly retryNow: () => void
}

const KEPT_SESSIONS = 12
/** A session further behind than this is loaded again rather than read up event by event. */
const RELOAD_BEHIND = 2_000

export function createPage(client: Client, remembered: string | null): Page {
  let state: PageState = {
    phase: 'loading',
    problem: null,
    workspaces: [],
    workspaceId: null,
    workspace: null,
    moreSessions: false,
    sessions: {},
    open: null,
    openProblem: null,
    connection: client.connection(),
    synced: false,
    files: 0,
    browsers: 0,
  }
  const listeners = new Set<() => void>()
  let following: AbortController | null = null
  let loadingOlder = false
  let older: SessionsCursor = 'begin'
  const deleted = new Set<string>()

  const set = (patch: Partial<PageState>): void => {
    state = { ...state, ...patch }
    for (const listener of listeners) listener()
  }
  const setSession = (data: SessionData): void =>
    set({ sessions: keep({ ...state.sessions, [data.id]: data }, data.id) })

  client.onConnection(() => {
    const connection = client.connection()
    if (connection.state === 'open') return set({ connection })
    const data = state.open && state.sessions[state.open]
    const sessions = data ? { ...state.sessions, [data.id]: { ...data, caughtUp: false } } : state.sessions
    set({ connection, sessions, synced: false })
  })

  const fail = (thrown: unknown): CarrelError => {
    const error = asCarrelError(thrown)
    if (error.code === 'unauthenticated') set({ phase: 'login' })
    return error
  }

  const call: Page['call'] = async (name, input) => {
    try {
      return await client.call(name, input)
    } catch (thrown) {
      throw fail(thrown)
    }
  }

  const take = inFrames<Followed>((batch) => {
    try {
      set(foldBatch(state, batch, deleted))
    } catch (thrown) {
      // Going on would show a state with a hole in it.
      following?.abort()
      set({ phase: 'broken', problem: asCarrelError(thrown) })
    }
  })

  const refollow = (): void => {
    following?.abort()
    const mine = new AbortController()
    following = mine
    void follow(client, targetsOf(state), mine.signal, take).catch((thrown) => {
      if (mine.signal.aborted) return
      const error = fail(thrown)
      if (error.code !== 'unauthenticated') setTimeout(() => mine.signal.aborted || refollow(), 2_000)
    })
  }

  const start: Page['start'] = async (wanted) => {
    following?.abort()
    set({ phase: 'loading', problem: null, workspace: null, sessions: {}, open: null })
    try {
      const { workspaces } = await call('workspaces.list', {})
      const chosen = workspaces.find(({ id }) => id === (wanted ?? remembered)) ?? workspaces[0]
      const id = (chosen ?? (await call('workspaces.create', { id: 'default' }))).id
      const { seq, workspace, ...lists } = await call('workspaces.get', { workspace: id })
      const view = { seq, workspace, ...indexed(lists) }
      older = 'begin'
      const moreSessions = lists.sessions.length >= FIRST_SESSIONS
      set({ phase: 'ready', workspaces, workspaceId: id, workspace: view, moreSessions })
      refollow()
    } catch (thrown) {
      const problem = asCarrelError(thrown)
      if (problem.code !== 'unauthenticated') set({ phase: 'broken', problem })
    }
  }

  const load = async (session: SessionId): Promise<void> => {
    try {
      const page = await call('sessions.view', { workspace: state.workspaceId!, id: session })
      if (state.open !== session) return
      setSession(fromPage(session, page))
      refollow()
    } catch (thrown) {
      if (state.open === session) set({ openProblem: asCarrelError(thrown) })
    }
  }

  const show: Page['show'] = (session) => {
    if (session === state.open && !state.openProblem) return
    // Whoever comes back begins at the newest.
    letGo()
    set({ open: session, openProblem: null })
    if (!session) return
    const known = state.sessions[session]
    const behind = (state.workspace?.sessions[session]?.head ?? 0) - (known?.view.seq ?? 0)
    if (!known || known.ended || behind > RELOAD_BEHIND) return void load(session)
    setSession({ ...known, caughtUp: false })
    refollow()
  }

  const loadOlder: Page['loadOlder'] = async () => {
    const asked = state.open ? state.sessions[state.open] : undefined
    if (!asked?.more || loadingOlder) return
    loadingOlder = true
    setSession({ ...asked, since: [] })
    try {
      const before = asked.items[0]?.n
      const page = await call('sessions.items', {
        workspace: state.workspaceId!,
        id: asked.view.session,
        limit: 100,
        ...(before === undefined ? {} : { before }),
      })
      const current = state.sessions[asked.id]
      // Loaded anew meanwhile: between its items and these there would be a hole.
      if (current?.since && current.items[0]?.n === before) setSession(withOlder(current, asked, page))
    } finally {
      loadingOlder = false
      const current = state.sessions[asked.id]
      if (current?.since) setSession({ ...current, since: null })
    }
  }

  const letGo: Page['letGo'] = () => {
    const data = state.open ? state.sessions[state.open] : undefined
    if (!data || data.since) return
    const less = withNewest(data, MOST_ITEMS, KEPT_ITEMS)
    if (less !== data) setSession(less)
  }

  const loadSessions: Page['loadSessions'] = async () => {
    const { workspaceId, moreSessions } = state
    if (!workspaceId || !moreSessions) return
    const { sessions, cursor } = await call('sessions.list', { workspace: workspaceId, ...olderQuery(older) })
    if (state.workspaceId !== workspaceId || !state.workspace) return
    older = cursor
    set({ workspace: withSessions(state.workspace, sessions, deleted), moreSessions: cursor !== null })
  }

  return {
    state: () => state,
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    call,
    start,
    show,
    loadOlder,
    letGo,
    loadSessions,
    retryNow: () => client.retryNow(),
  }
}

async function follow(
  client: Client,
  targets: FollowTarget[],
  signal: AbortSignal,
  take: (followed: Followed) => void,
): Promise<void> {
  for await (const followed of client.follow(targets, signal)) {
    if (signal.aborted) return
    take(followed)
  }
}

function targetsOf(state: PageState): FollowTarget[] {
  const workspace = state.workspaceId!
  const targets: FollowTarget[] = [{ kind: 'workspace', workspace, after: state.workspace?.seq ?? 0 }]
  const data = state.open ? state.sessions[state.open] : undefined
  if (data) targets.push({ kind: 'session', workspace, session: data.id, after: data.view.seq })
  return targets
}

/**
 * What a batch of the stream makes of the state. Lines were checked by the server that stored them: checking every
 * field of each again here cost more than folding it.
 */
function foldBatch(state: PageState, batch: readonly Followed[], deleted: Set<string>): Partial<PageState> {
  let workspace = state.workspace
  const sessions: Record<string, SessionData> = { ...state.sessions }
  let { synced, files, browsers } = state
  const events = new Map<string, Event[]>()
  const flush = (log: string): void => {
    const data = sessions[log]
    if (data) sessions[log] = withEvents(data, events.get(log) ?? [])
    events.delete(log)
  }
  for (const followed of batch) {
    const isWorkspace = followed.log === state.workspaceId
    if (followed.kind === 'event') {
      const line = lineOf(followed.json)
      if (isWorkspace) {
        const change = line as WorkspaceEvent
        if (change.type === 'session.deleted') deleted.add(change.data.id)
        workspace = workspace && foldWorkspace(workspace, change)
      } else if (sessions[followed.log]) {
        const waiting = events.get(followed.log) ?? []
        waiting.push(line as Event)
        events.set(followed.log, waiting)
      }
      continue
    }
    const again = isWorkspace && followed.kind === 'caught-up'
    if (followed.kind === 'files' || again) files += 1
    if (followed.kind === 'browsers' || again) browsers += 1
    if (followed.kind === 'files' || followed.kind === 'browsers') continue
    if (isWorkspace) {
      synced = followed.kind === 'caught-up'
      continue
    }
    flush(followed.log)
    const data = sessions[followed.log]
    if (data) sessions[followed.log] = { ...data, caughtUp: true, ended: data.ended || followed.kind === 'ended' }
  }
  for (const log of [...events.keys()]) flush(log)
  return { workspace, sessions, synced, files, browsers }
}

/** @throws CarrelError when it is no line of a log */
function lineOf(json: string): Event | WorkspaceEvent {
  const line = JSON.parse(json) as Partial<Event> | null
  if (typeof line?.seq !== 'number' || typeof line.type !== 'string' || typeof line.at !== 'number')
    throw new CarrelError('internal', texts.shell.unreadable)
  return line as Event
}

/** The newest few of the opened sessions, since each may hold thousands of items. */
function keep(sessions: Record<string, SessionData>, newest: string): Record<string, SessionData> {
  const { [newest]: last, ...rest } = sessions
  const others = Object.entries(rest).slice(-(KEPT_SESSIONS - 1))
  return { ...Object.fromEntries(others), ...(last ? { [newest]: last } : {}) }
}

function indexed(lists: Pick<Output<'workspaces.get'>, 'spaces' | 'projects' | 'sessions' | 'interactions' | 'rules'>) {
  const byId = <T extends { id: string }>(rows: readonly T[]): Record<string, T> =>
    Object.fromEntries(rows.map((row) => [row.id, row]))
  return {
    spaces: byId(lists.spaces),
    projects: byId(lists.projects),
    sessions: byId(lists.sessions),
    interactions: byId(lists.interactions),
    rules: byId(lists.rules),
  }
}
