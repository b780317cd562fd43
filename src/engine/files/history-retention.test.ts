import { expect, it } from 'vitest'
import { openTestHistory, session, type TestPlace, writer } from '../../../test/support/history-world.ts'
import type { Mark } from '../../host/history/scan/record.ts'
import type { FilesContext } from './file-rooms.ts'
import { sweepOnce } from './history-retention.ts'

const DAY = 86_400_000

/** A context around a history: these sessions are live, and no snapshot is recent. */
const around = ({ history }: TestPlace, live: readonly string[]) =>
  ({
    history: async () => history,
    projectPlaces: { followed: new Map() },
    config: { filesBudgetBytes: 1, keepAllMs: 0, keepHourlyMs: 0 },
    now: () => 100 * DAY,
    log: { warn: () => {} },
    store: {
      tree: {
        workspaces: async () => [{ id: 'ws_1' }],
        space: async () => ({}),
        project: async () => ({}),
        sessions: async () => ({ rows: live.map((name) => ({ id: session(name) })), cursor: null }),
      },
    },
  }) as unknown as FilesContext

/** Returns a function that writes another text as a run of a session, and resolves to the number of the snapshot. */
function snapshotter(place: TestPlace) {
  let text = 0
  return async (run: string | null, of = '', what?: Mark['what']) => {
    text += 1
    place.write('file', `${text}`)
    const by = run === null ? null : { ...writer(run), session: session(of) }
    const mark = by && what ? { run: by.run, session: by.session, what } : undefined
    return (await place.captured({ writers: by ? [by] : [], mark })).n
  }
}

const listed = async ({ history, key }: TestPlace) =>
  (await history.snapshots(key, { before: null, limit: 100 })).map(({ n }) => n).reverse()

it('F7: what sessions that are not archived go back to stays, whatever the age and the budget', async () => {
  await using place = await openTestHistory({ file: 'first' })
  const snapshot = snapshotter(place)
  for (const [run, of] of [
    ['one', 'a'],
    ['two', 'b'],
    ['three', 'a'],
  ] as const) {
    await snapshot(null)
    await snapshot(run, of, 'start')
    await snapshot(run, of)
    await snapshot(run, of, 'end')
  }
  const newest = await snapshot(null)
  expect(await listed(place)).toHaveLength(newest)
  await sweepOnce(around(place, ['a', 'b']))
  // The first began at 3 and its newest run went from 11 to 13; the second's only run went from 7 to 9.
  expect(await listed(place)).toEqual([3, 7, 9, 11, 13, 14])
  await sweepOnce(around(place, ['b']))
  expect(await listed(place)).toEqual([7, 9, 14])
  await sweepOnce(around(place, []))
  expect(await listed(place)).toEqual([14])
})
