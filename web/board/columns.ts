import type { WorkspaceView } from '../../src/model/events/workspace-log.ts'
import type { Project, Session, SessionState, Space } from '../../src/model/tree.ts'
import { inboxOf, treeOf } from '../data/tree.ts'
import { type Texts, texts } from '../texts/texts.ts'

export interface Card {
  readonly session: Session
  readonly space: Space
  readonly project: Project
  readonly news: string
}

export interface Column {
  readonly id: string
  readonly title: string
  /** Shown in an empty column. */
  readonly empty: string
  readonly cards: readonly Card[]
}

const COLUMNS: readonly { readonly id: keyof Texts['board']['columns']; readonly states: readonly SessionState[] }[] = [
  { id: 'waiting', states: ['waiting'] },
  { id: 'running', states: ['running'] },
  { id: 'queued', states: ['queued'] },
  { id: 'failed', states: ['failed', 'lost'] },
  { id: 'idle', states: ['idle', 'closed'] },
]

/** Returns the sessions of all Spaces by state: those that wait by waiting time, others by their last change. */
export function columnsOf(workspace: WorkspaceView): Column[] {
  const asked = new Map(
    inboxOf(workspace)
      .reverse()
      .map(({ session, question }) => [session as string, question.title]),
  )
  const cards = treeOf(workspace).flatMap(({ space, projects }) =>
    projects.flatMap(({ project, sessions }) =>
      sessions.map((session) => ({ session, space, project, news: newsOf(session, asked.get(session.id)) })),
    ),
  )
  return COLUMNS.map(({ id, states }) => {
    const own = cards.filter(({ session }) => states.includes(session.state))
    const sign = id === 'waiting' ? 1 : -1
    return {
      id,
      ...texts.board.columns[id],
      cards: own.sort((a, b) => sign * (a.session.updatedAt - b.session.updatedAt)),
    }
  })
}

function newsOf({ state, queued, lastRun }: Session, question: string | undefined): string {
  const { news } = texts.board
  const waits = queued > 0 ? news.andWaiting(queued) : ''
  if (state === 'waiting') return (question ?? news.asks) + waits
  if (state === 'running') return news.running + waits
  if (state === 'queued') return news.queued + waits
  if (state === 'closed') return news.closed
  return lastRun?.outcome ? news.ended(lastRun.outcome) + waits : news.none
}

/** Whether the session has a run or a queued prompt that can be stopped. */
export const stoppable = ({ state }: Session): boolean => ['waiting', 'running', 'queued'].includes(state)
