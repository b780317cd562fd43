import type { Input, OperationName, Output } from '../../src/api/index.ts'
import type { Connection } from '../../src/client/client.ts'
import type { CarrelError } from '../../src/model/errors.ts'
import type { WorkspaceView } from '../../src/model/events/workspace-log.ts'
import type { SessionId, WorkspaceId } from '../../src/model/ids.ts'
import type { Workspace } from '../../src/model/tree.ts'
import type { SessionData } from './session-data.ts'

/** Everything the page shows that the server decides. One immutable object, replaced at each change. */
export interface PageState {
  readonly phase: 'loading' | 'login' | 'broken' | 'ready'
  /** The error in the phase `broken`. */
  readonly problem: CarrelError | null
  readonly workspaces: readonly Workspace[]
  readonly workspaceId: WorkspaceId | null
  readonly workspace: WorkspaceView | null
  /** The server has sessions that are older than those in the workspace. */
  readonly moreSessions: boolean
  /** Sessions that were opened, by id. The stream follows the open one only. */
  readonly sessions: Readonly<Record<string, SessionData>>
  readonly open: SessionId | null
  /** The reason why the open session could not be loaded. */
  readonly openProblem: CarrelError | null
  readonly connection: Connection
  /** The stream has delivered the whole workspace log. False from a cut until it has caught up. */
  readonly synced: boolean
  /** Grows when files may have changed: at a hint of the server, and after each reconnection. */
  readonly files: number
  /** Grows in the same way when the browsers of runs may have changed. */
  readonly browsers: number
}

/** The state of the page, and the acts that load and follow it. */
export interface PageStore {
  readonly state: () => PageState
  readonly subscribe: (listener: () => void) => () => void
  readonly call: <N extends OperationName>(name: N, input: Input<N>) => Promise<Output<N>>
  /** Loads a workspace and follows it. Calling it again retries. */
  readonly start: (workspace?: string) => Promise<void>
  /** Opens a session: loads it and follows it in place of the last one. */
  readonly show: (session: SessionId | null) => void
  /** Loads older items of the open session. Ignored while a page is on its way. */
  readonly loadOlder: () => Promise<void>
  /** Releases the oldest items of the open session if it has many. For a reader at the newest item. */
  readonly releaseOlder: () => void
  /** Loads the next page of older sessions into the workspace. */
  readonly loadSessions: () => Promise<void>
  readonly retryNow: () => void
}

export const FIRST_STATE: Omit<PageState, 'connection'> = {
  phase: 'loading',
  problem: null,
  workspaces: [],
  workspaceId: null,
  workspace: null,
  moreSessions: false,
  sessions: {},
  open: null,
  openProblem: null,
  synced: false,
  files: 0,
  browsers: 0,
}
