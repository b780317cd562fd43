import type { Input, OperationName, Output } from '../../src/api/index.ts'
import { CarrelError } from '../../src/model/errors.ts'
import type { Interaction } from '../../src/model/interaction.ts'
import { EMPTY_WORKSPACE } from '../../src/model/workspace-log.ts'
import type { Page, PageState } from '../data/page-store.ts'
import type { SessionData } from '../data/session-data.ts'
import { ROOT, tail } from './story-log.ts'

const SPACE = `spc_${tail(1)}`

/** What the server would say, by operation. */
export type Answers = { readonly [N in OperationName]?: (input: Input<N>) => Output<N> | Promise<Output<N>> }

/** A page whose state stands still and whose requests fail, since there is no server behind it. */
export function storyPage(patch: Partial<PageState>, answers: Answers = {}): Page {
  const state: PageState = {
    phase: 'ready',
    problem: null,
    workspaces: [],
    workspaceId: 'default' as PageState['workspaceId'],
    workspace: EMPTY_WORKSPACE,
    moreSessions: false,
    sessions: {},
    open: null,
    openProblem: null,
    connection: { state: 'open', since: 0, attempt: 0, reason: null, nextTryAt: null },
    synced: true,
    files: 0,
    browsers: 0,
    ...patch,
  }
  return {
    state: () => state,
    subscribe: () => () => undefined,
    call: async (name, input) => {
      if (name === 'agents.list') return { agents: [] } as never
      const answer = answers[name]
      if (answer) return (await answer(input as never)) as never
      throw new CarrelError('unavailable', 'There is no server behind the stories.')
    },
    start: async () => undefined,
    show: () => undefined,
    loadOlder: async () => undefined,
    letGo: () => undefined,
    loadSessions: async () => undefined,
    retryNow: () => undefined,
  }
}

/** The open questions of a session as the inbox has them, so that cards know their Space. */
export function withQuestions(data: SessionData): Partial<PageState> {
  const interactions = Object.fromEntries(
    Object.entries(data.view.open).map(([id, open]) => [
      id,
      { id, space: SPACE, session: data.id, state: 'open', ...open } as unknown as Interaction,
    ]),
  )
  const space = { id: SPACE, name: 'Garden', folder: ROOT, kind: 'folder', state: 'ok' }
  return {
    sessions: { [data.id]: data },
    workspace: { ...EMPTY_WORKSPACE, interactions, spaces: { [SPACE]: space as never } },
  }
}
