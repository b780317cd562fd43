import { expect, it } from 'vitest'
import type { Interaction } from '../../src/model/interaction.ts'
import type { Session } from '../../src/model/tree.ts'
import { newsBetween } from './news.ts'

const session = (id: string, run: string | null, outcome: string | null): Session =>
  ({ id, name: `Name of ${id}`, updatedAt: 1, lastRun: run && { id: run, outcome, endedAt: null } }) as Session
const question = (id: string, of: string, openedAt: number): Interaction =>
  ({ id, session: of, openedAt, question: { title: `Title of ${id}` } }) as Interaction
const seen = (sessions: Session[], interactions: Interaction[] = []) => ({
  sessions: Object.fromEntries(sessions.map((each) => [each.id, each])),
  interactions: Object.fromEntries(interactions.map((each) => [each.id, each])),
})

it('a question that opened is reported once, with the name of its session, the oldest first', () => {
  const before = seen([session('s', null, null)], [question('known', 's', 1)])
  const after = seen(
    [session('s', null, null)],
    [question('late', 's', 3), question('known', 's', 1), question('early', 's', 2)],
  )
  expect(newsBetween(before, after).map(({ tag, title, body }) => [tag, title, body])).toEqual([
    ['early', 'Name of s has a question', 'Title of early'],
    ['late', 'Name of s has a question', 'Title of late'],
  ])
  expect(newsBetween(after, after)).toEqual([])
})

it('a run that ended is reported, also when it began in between; one that a person stopped is not', () => {
  const before = seen([session('a', 'r1', null), session('b', 'r2', 'completed'), session('c', 'r4', null)])
  const after = seen([session('a', 'r1', 'failed'), session('b', 'r3', 'completed'), session('c', 'r4', 'cancelled')])
  expect(newsBetween(before, after).map(({ tag, body }) => [tag, body])).toEqual([
    ['r1', 'The run failed.'],
    ['r3', 'The run completed.'],
  ])
})

it('what was over before the page knew the session is no news', () => {
  expect(newsBetween(seen([]), seen([session('old', 'r', 'completed')]))).toEqual([])
  expect(newsBetween(seen([session('s', 'r', 'lost')]), seen([session('s', 'r', 'Lost')]))).toEqual([])
})
