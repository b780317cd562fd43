import { expect, it } from 'vitest'
import { EMPTY_WORKSPACE } from '../../src/model/events/workspace-log.ts'
import type { Session } from '../../src/model/tree.ts'
import { olderQuery, withSessions } from './older-sessions.ts'

const row = (id: string, name: string): Session => ({ id, name }) as Session
const view = { ...EMPTY_WORKSPACE, sessions: { known: row('known', 'of the stream') } }

it('older sessions are added, and a row of the stream stays', () => {
  const next = withSessions(view, [row('known', 'of the list'), row('old', 'older')], new Set())
  expect(next.sessions).toEqual({ known: row('known', 'of the stream'), old: row('old', 'older') })
})

it('one that was deleted while the list was on its way does not come back', () => {
  expect(withSessions(view, [row('gone', 'deleted')], new Set(['gone']))).toBe(view)
})

it('the first page reaches beyond those that came with the workspace, later ones begin at the cursor', () => {
  expect(olderQuery('begin')).toEqual({ limit: 300 })
  expect(olderQuery('next')).toEqual({ limit: 100, cursor: 'next' })
})
