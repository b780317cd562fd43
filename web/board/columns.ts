import type { Project, Session, SessionState, Space } from '../../src/model/tree.ts'
import type { WorkspaceView } from '../../src/model/workspace-log.ts'
import { inboxOf, treeOf } from '../data/tree.ts'
import { count } from '../ui/format.ts'

export interface Card {
  readonly session: Session
  readonly space: Space
  readonly project: Project
  /** What happened last, in words. */
  readonly news: string
}

export interface Column {
  readonly id: string
  readonly title: string
  /** Said where there is no card. */
  readonly empty: string
  readonly cards: readonly Card[]
}

const COLUMNS: readonly (Omit<Column, 'cards'> & { readonly states: readonly SessionState[] })[] = [
  { id: 'waiting', title: 'Waits for you', empty: 'No agent asks anything.', states: ['waiting'] },
  { id: 'running', title: 'Running', empty: 'No run is on.', states: ['running'] },
  { id: 'queued', title: 'Queued', empty: 'Nothing waits for its turn.', states: ['queued'] },
  { id: 'failed', title: 'Failed or lost', empty: 'Nothing went wrong.', states: ['failed', 'lost'] },
  { id: 'idle', title: 'Idle', empty: 'No session rests.', states: ['idle', 'closed'] },
]

/** The sessions of all Spaces by what they are doing. Who waits longest comes first, elsewhere what changed last. */
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
  return COLUMNS.map(({ states, ...column }) => {
    const own = cards.filter(({ session }) => states.includes(session.state))
    const sign = column.id === 'waiting' ? 1 : -1
    return { ...column, cards: own.sort((a, b) => sign * (a.session.updatedAt - b.session.updatedAt)) }
  })
}

const ENDS = {
  completed: 'The last run is done',
  cancelled: 'The last run was stopped',
  failed: 'The last run failed',
  refused: 'The agent refused',
  over_budget: 'The budget was used up',
  lost: 'The last run was lost',
} as const

function newsOf({ state, queued, lastRun }: Session, question: string | undefined): string {
  const waits = queued > 0 ? `, ${count(queued, 'prompt')} queued` : ''
  if (state === 'waiting') return `${question ?? 'Asks something'}${waits}`
  if (state === 'running') return `A run is on${waits}`
  if (state === 'queued') return `Waits for its turn${waits}`
  if (state === 'closed') return 'Closed'
  return lastRun?.outcome ? `${ENDS[lastRun.outcome]}${waits}` : 'Nothing was asked yet'
}

/** Whether there is something to stop. */
export const stoppable = ({ state }: Session): boolean => ['waiting', 'running', 'queued'].includes(state)
