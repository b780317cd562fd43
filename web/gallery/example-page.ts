import type { Input, OperationName, Output } from '../../src/api/index.ts'
import { CarrelError } from '../../src/model/errors.ts'
import { EMPTY_WORKSPACE } from '../../src/model/events/workspace-log.ts'
import type { Interaction } from '../../src/model/interaction.ts'
import { FIRST_STATE, type PageState, type PageStore } from '../data/page-state.ts'
import type { SessionData } from '../data/session-data.ts'
import { ROOT, tail } from './example-log.ts'

const SPACE = `spc_${tail(1)}`

/** Answers in place of a server, by operation. */
export type Answers = { readonly [N in OperationName]?: (input: Input<N>) => Output<N> | Promise<Output<N>> }

/** Returns a page with a fixed state. Requests without an entry in `answers` fail: the gallery has no server. */
export function examplePage(patch: Partial<PageState>, answers: Answers = {}): PageStore {
  const state: PageState = {
    ...FIRST_STATE,
    phase: 'ready',
    workspaceId: 'default' as PageState['workspaceId'],
    workspace: EMPTY_WORKSPACE,
    connection: { state: 'open', since: 0, attempt: 0, reason: null, nextTryAt: null },
    synced: true,
    ...patch,
  }
  return {
    state: () => state,
    subscribe: () => () => undefined,
    call: async (name, input) => {
      if (name === 'agents.list') return { agents: [] } as never
      const answer = answers[name]
      if (answer) return (await answer(input as never)) as never
      throw new CarrelError('unavailable', 'The gallery has no server.')
    },
    start: async () => undefined,
    show: () => undefined,
    loadOlder: async () => undefined,
    releaseOlder: () => undefined,
    loadSessions: async () => undefined,
    retryNow: () => undefined,
  }
}

/** Returns the open questions of a session as the inbox has them: a card needs its Space. */
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
