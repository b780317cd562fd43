import { expect, it } from 'vitest'
import { openTestHistory, run, session, type TestPlace } from '../../../test/support/history-world.ts'
import type { SpaceId } from '../../model/ids.ts'
import { createPlaceActivity } from './place-activity.ts'
import { createPresence } from './presence.ts'
import { createToolPaths } from './tool-paths.ts'

function joined(place: TestPlace, names: readonly string[]) {
  const log = { warn: () => undefined } as never
  const activity = createPlaceActivity(place.key, 'spc_one' as SpaceId, {
    history: async () => place.history,
    cutRuns: async () => [],
    onJoined: () => undefined,
    spaceLocks: { note: async () => undefined } as never,
    now: () => 1_000,
    log,
  })
  const presences = names.map((name) => {
    const presence = createPresence()
    const paths = createToolPaths(
      () => null,
      () => 0,
    )
    const nothing = () => undefined
    activity.join({ run: run(name), session: session(name), paths, presence, found: nothing, passed: nothing })
    return { run: run(name), begin: () => presence.become('work', place.history.clock()) }
  })
  return { activity, presences }
}

const authors = async (place: TestPlace, path: string) =>
  (await place.history.pathHistory(place.key, path, { before: null, limit: 9 })).map(({ certainty }) => certainty)

it.each([2, 3])('F2: what lay there before %i runs that begin at once is nobody’s of them', async (many) => {
  await using place = await openTestHistory({ 'notes.md': '1', 'gone.md': '1', 'old/a': '1' })
  await place.captured()
  const { activity, presences } = joined(place, ['r1', 'r2', 'r3'].slice(0, many))
  place.write('notes.md', 'by a person')
  place.write('new.md', 'by a person')
  place.remove('gone.md')
  // All have joined, and none has begun, when the first of them scans.
  for (const each of presences) {
    await activity.scan({ at: 'hints', reason: 'run_start' }, each.run)
    each.begin()
  }
  for (const path of ['notes.md', 'new.md', 'gone.md'])
    expect([path, await authors(place, path)]).toEqual([path, ['external']])
})

it('F2: an edit between the beginnings of two runs belongs to neither alone', async () => {
  await using place = await openTestHistory({ 'notes.md': '1' })
  await place.captured()
  const { activity, presences } = joined(place, ['r1', 'r2'])
  for (const each of presences) await activity.scan({ at: 'hints', reason: 'run_start' }, each.run)
  place.write('notes.md', 'by a person, while both agents start')
  for (const before = place.history.clock(); place.history.clock() === before; );
  for (const each of presences) each.begin()
  await activity.scan({ at: 'everything', reason: 'tool' })
  expect(await authors(place, 'notes.md')).toEqual(['external'])
})
