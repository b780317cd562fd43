import type { WorkspaceView } from '../../src/model/events/workspace-log.ts'
import { texts } from '../texts/texts.ts'

/** An event that a person wants a notification for. */
export interface News {
  /** The same event has the same tag in every tab, so several hidden tabs show one notification. */
  readonly tag: string
  readonly session: string
  readonly title: string
  readonly body: string
}

type Seen = Pick<WorkspaceView, 'sessions' | 'interactions'>

/** Returns the news between two states of a workspace: opened questions and ended runs. Each kind is oldest first. */
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
      // The past of a session that was not known before is not news.
      if (!was || !lastRun?.outcome || lastRun.outcome === 'cancelled') return []
      if (was.lastRun?.id === lastRun.id && was.lastRun.outcome !== null) return []
      return [{ tag: lastRun.id, session: id, title: name, body: texts.notify.ended[lastRun.outcome] }]
    })
  return [...asked, ...ended]
}
