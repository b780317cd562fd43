import type { Followed, FollowTarget, Output } from '../../src/api/index.ts'
import type { Client } from '../../src/client/client.ts'
import { asCarrelError, type CarrelError } from '../../src/model/errors.ts'
import type { SessionId } from '../../src/model/ids.ts'
import { foldBatch } from './fold-batch.ts'
import { inFrames } from './frames.ts'
import { FIRST_SESSIONS, olderQuery, type SessionsCursor, withSessions } from './older-sessions.ts'
import { FIRST_STATE, type PageState, type PageStore } from './page-state.ts'
import { fromPage, KEPT_ITEMS, MOST_ITEMS, type SessionData, withNewest, withOlder } from './session-data.ts'

const KEPT_SESSIONS = 12
/** A session that is further behind is loaded again: folding its events one by one would take longer. */
const RELOAD_BEHIND = 2_000
const FOLLOW_AGAIN_MS = 2_000

/** The page store on a server. `remembered`: id of the workspace to open first. */
export class ServedPage implements PageStore {
  readonly #client: Client
  readonly #remembered: string | null
  readonly #listeners = new Set<() => void>()
  readonly #deleted = new Set<string>()
  readonly #take: (followed: Followed) => void
  #state: PageState
  #following: AbortController | null = null
  #loadingOlder = false
  #older: SessionsCursor = 'begin'

  constructor(client: Client, remembered: string | null) {
    this.#client = client
    this.#remembered = remembered
    this.#state = { ...FIRST_STATE, connection: client.connection() }
    this.#take = inFrames((batch) => this.#fold(batch))
    client.onConnection(() => this.#showConnection())
  }

  readonly state = (): PageState => this.#state

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly call: PageStore['call'] = async (name, input) => {
    try {
      return await this.#client.call(name, input)
    } catch (thrown) {
      throw this.#failed(thrown)
    }
  }

  readonly start: PageStore['start'] = async (wanted) => {
    this.#following?.abort()
    this.#set({ phase: 'loading', problem: null, workspace: null, sessions: {}, open: null })
    try {
      const { workspaces } = await this.call('workspaces.list', {})
      const chosen = workspaces.find(({ id }) => id === (wanted ?? this.#remembered)) ?? workspaces[0]
      const workspaceId = (chosen ?? (await this.call('workspaces.create', { id: 'default' }))).id
      const { seq, workspace: row, ...lists } = await this.call('workspaces.get', { workspace: workspaceId })
      const workspace = { seq, workspace: row, ...indexed(lists) }
      this.#older = 'begin'
      const moreSessions = lists.sessions.length >= FIRST_SESSIONS
      this.#set({ phase: 'ready', workspaces, workspaceId, workspace, moreSessions })
      this.#follow()
    } catch (thrown) {
      const problem = asCarrelError(thrown)
      if (problem.code !== 'unauthenticated') this.#set({ phase: 'broken', problem })
    }
  }

  readonly show: PageStore['show'] = (session) => {
    const { open, openProblem, sessions, workspace } = this.#state
    if (session === open && !openProblem) return
    // The next visit begins at the newest item.
    this.releaseOlder()
    this.#set({ open: session, openProblem: null })
    if (!session) return
    const known = sessions[session]
    const behind = (workspace?.sessions[session]?.head ?? 0) - (known?.view.seq ?? 0)
    if (!known || known.ended || behind > RELOAD_BEHIND) return void this.#load(session)
    this.#setSession({ ...known, caughtUp: false })
    this.#follow()
  }

  readonly loadOlder: PageStore['loadOlder'] = async () => {
    const asked = this.#openData()
    if (!asked?.more || this.#loadingOlder) return
    this.#loadingOlder = true
    this.#setSession({ ...asked, since: [] })
    try {
      const before = asked.items[0]?.n
      const target = { workspace: this.#state.workspaceId!, id: asked.view.session, limit: 100 }
      const page = await this.call('sessions.items', { ...target, ...(before !== undefined && { before }) })
      const current = this.#state.sessions[asked.id]
      // A reload in the meantime leaves a hole between its items and this page.
      if (current?.since && current.items[0]?.n === before) this.#setSession(withOlder(current, asked, page))
    } finally {
      this.#loadingOlder = false
      const current = this.#state.sessions[asked.id]
      if (current?.since) this.#setSession({ ...current, since: null })
    }
  }

  readonly releaseOlder: PageStore['releaseOlder'] = () => {
    const data = this.#openData()
    if (!data || data.since) return
    const less = withNewest(data, MOST_ITEMS, KEPT_ITEMS)
    if (less !== data) this.#setSession(less)
  }

  readonly loadSessions: PageStore['loadSessions'] = async () => {
    const { workspaceId, moreSessions } = this.#state
    if (!workspaceId || !moreSessions) return
    const query = { workspace: workspaceId, ...olderQuery(this.#older) }
    const { sessions, cursor } = await this.call('sessions.list', query)
    const { workspace } = this.#state
    if (this.#state.workspaceId !== workspaceId || !workspace) return
    this.#older = cursor
    this.#set({ workspace: withSessions(workspace, sessions, this.#deleted), moreSessions: cursor !== null })
  }

  readonly retryNow = (): void => this.#client.retryNow()

  #set(patch: Partial<PageState>): void {
    this.#state = { ...this.#state, ...patch }
    for (const listener of this.#listeners) listener()
  }

  #setSession(data: SessionData): void {
    this.#set({ sessions: keepNewest({ ...this.#state.sessions, [data.id]: data }, data.id) })
  }

  #openData(): SessionData | undefined {
    const { open, sessions } = this.#state
    return open ? sessions[open] : undefined
  }

  #showConnection(): void {
    const connection = this.#client.connection()
    if (connection.state === 'open') return this.#set({ connection })
    const data = this.#openData()
    const { sessions } = this.#state
    const behind = data ? { ...sessions, [data.id]: { ...data, caughtUp: false } } : sessions
    this.#set({ connection, sessions: behind, synced: false })
  }

  #failed(thrown: unknown): CarrelError {
    const error = asCarrelError(thrown)
    if (error.code === 'unauthenticated') this.#set({ phase: 'login' })
    return error
  }

  #fold(batch: readonly Followed[]): void {
    try {
      this.#set(foldBatch(this.#state, batch, this.#deleted))
    } catch (thrown) {
      // A state without this batch would have a hole.
      this.#following?.abort()
      this.#set({ phase: 'broken', problem: asCarrelError(thrown) })
    }
  }

  #follow(): void {
    this.#following?.abort()
    const own = new AbortController()
    this.#following = own
    void this.#read(own.signal).catch((thrown) => {
      if (own.signal.aborted) return
      if (this.#failed(thrown).code === 'unauthenticated') return
      setTimeout(() => own.signal.aborted || this.#follow(), FOLLOW_AGAIN_MS)
    })
  }

  async #read(signal: AbortSignal): Promise<void> {
    for await (const followed of this.#client.follow(targetsOf(this.#state), signal)) {
      if (signal.aborted) return
      this.#take(followed)
    }
  }

  async #load(session: SessionId): Promise<void> {
    try {
      const page = await this.call('sessions.view', { workspace: this.#state.workspaceId!, id: session })
      if (this.#state.open !== session) return
      this.#setSession(fromPage(session, page))
      this.#follow()
    } catch (thrown) {
      if (this.#state.open === session) this.#set({ openProblem: asCarrelError(thrown) })
    }
  }
}

function targetsOf(state: PageState): FollowTarget[] {
  const workspace = state.workspaceId!
  const targets: FollowTarget[] = [{ kind: 'workspace', workspace, after: state.workspace?.seq ?? 0 }]
  const data = state.open ? state.sessions[state.open] : undefined
  if (data) targets.push({ kind: 'session', workspace, session: data.id, after: data.view.seq })
  return targets
}

/** Keeps the newest few of the opened sessions: each may hold thousands of items. */
function keepNewest(sessions: Record<string, SessionData>, newest: string): Record<string, SessionData> {
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
