import type { WorkspaceView } from '../../src/model/workspace-log.ts'
import { texts } from '../texts/texts.ts'

/** Something a person wants to be called for. */
export interface News {
  /** The same thing has the same tag, whoever finds it. */
  readonly tag: string
  readonly session: string
  readonly title: string
  readonly body: string
}

type Seen = Pick<WorkspaceView, 'sessions' | 'interactions'>

/** What came between two states of a workspace: questions that opened, runs that ended. Oldest first of each kind. */
export function newsBetween(before: Seen, after: Seen): News[] {
  const asked = Object.values(after.interactions)
    .filter(({ id }) => !before.interactions[id])
    .sort((a, b) => a.openedAt - b.openedAt)
    .map(({ id, session, question }) => ({
      tag: id,
      session,
      title: texts.notify.asks(after.sessions[session]?.name),
      body: question.title,
    }))
  const ended = Object.values(after.sessions)
    .sort((a, b) => a.updatedAt - b.updatedAt)
    .flatMap(({ id, name, lastRun }): News[] => {
      const was = before.sessions[id]
      // A session that was not known before brings its past with it, which is no news.
      if (!was || !lastRun?.outcome || lastRun.outcome === 'cancelled') return []
      if (was.lastRun?.id === lastRun.id && was.lastRun.outcome !== null) return []
      return [{ tag: lastRun.id, session: id, title: name, body: texts.notify.ended[lastRun.outcome] }]
    })
  return [...asked, ...ended]
}
