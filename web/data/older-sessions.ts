import type { Session } from '../../src/model/tree.ts'
import type { WorkspaceView } from '../../src/model/workspace-log.ts'

/** So many of the newest sessions come with the workspace; the server's own default. */
export const FIRST_SESSIONS = 200
const PAGE = 100

/** Where the list of sessions goes on: `begin` before it was ever asked for, null at its end. */
export type SessionsCursor = 'begin' | string | null

/** What to ask for next. The first page repeats those that are here, and brings as many again as later ones do. */
export const olderQuery = (cursor: SessionsCursor): { limit: number; cursor?: string } =>
  cursor === 'begin' || cursor === null ? { limit: FIRST_SESSIONS + PAGE } : { limit: PAGE, cursor }

/** Adds rows of a list. What the stream said of a session is newer, and one that it deleted stays away. */
export function withSessions(
  view: WorkspaceView,
  rows: readonly Session[],
  deleted: ReadonlySet<string>,
): WorkspaceView {
  const fresh = rows.filter(({ id }) => !view.sessions[id] && !deleted.has(id))
  if (fresh.length === 0) return view
  return { ...view, sessions: { ...Object.fromEntries(fresh.map((row) => [row.id, row])), ...view.sessions } }
}
