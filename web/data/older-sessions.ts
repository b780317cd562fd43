import type { WorkspaceView } from '../../src/model/events/workspace-log.ts'
import type { Session } from '../../src/model/tree.ts'

/** The number of newest sessions that come with the workspace: the server's default. */
export const FIRST_SESSIONS = 200
const PAGE = 100

/** The position in the list of sessions: `begin` before the first request, null at the end. */
export type SessionsCursor = 'begin' | string | null

/** Returns the query for the next page. The first page repeats the known sessions, so it is larger by their number. */
export const olderQuery = (cursor: SessionsCursor): { limit: number; cursor?: string } =>
  cursor === 'begin' || cursor === null ? { limit: FIRST_SESSIONS + PAGE } : { limit: PAGE, cursor }

/** Adds rows of a list. A row from the stream is newer and stays; a session that the stream deleted is not added. */
export function withSessions(
  view: WorkspaceView,
  rows: readonly Session[],
  deleted: ReadonlySet<string>,
): WorkspaceView {
  const fresh = rows.filter(({ id }) => !view.sessions[id] && !deleted.has(id))
  if (fresh.length === 0) return view
  return { ...view, sessions: { ...Object.fromEntries(fresh.map((row) => [row.id, row])), ...view.sessions } }
}
