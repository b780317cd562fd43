import type { RunOutcome } from '../../src/model/tree.ts'
import type { WorkspaceView } from '../../src/model/workspace-log.ts'

/** Something a person wants to be called for. */
export interface News {
  /** The same thing has the same tag, whoever finds it. */
  readonly tag: string
  readonly session: string
  readonly title: string
  readonly body: string
}

type Seen = Pick<WorkspaceView, 'sessions' | 'interactions'>

const ENDS: Record<RunOutcome, string> = {
  completed: 'The run is done.',
  cancelled: 'The run was stopped.',
  failed: 'The run failed.',
  refused: 'The agent refused.',
  over_budget: 'The run came to the end of its budget.',
  lost: 'The run was lost.',
}

/** What came between two states of a workspace: questions that opened, runs that ended. Oldest first of each kind. */
export function newsBetween(before: Seen, after: Seen): News[] {
  const asked = Object.values(after.interactions)
    .filter(({ id }) => !before.interactions[id])
    .sort((a, b) => a.openedAt - b.openedAt)
    .map(({ id, session, question }) => ({
      tag: id,
      session,
      title: `${after.sessions[session]?.name ?? 'A session'} asks`,
      body: question.title,
    }))
  const ended = Object.values(after.sessions)
    .sort((a, b) => a.updatedAt - b.updatedAt)
    .flatMap(({ id, name, lastRun }): News[] => {
      const was = before.sessions[id]
      // A session that was not known before brings its past with it, which is no news.
      if (!was || !lastRun?.outcome || lastRun.outcome === 'cancelled') return []
      if (was.lastRun?.id === lastRun.id && was.lastRun.outcome !== null) return []
      return [{ tag: lastRun.id, session: id, title: name, body: ENDS[lastRun.outcome] }]
    })
  return [...asked, ...ended]
}
