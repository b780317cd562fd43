import { closeSync, openSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openTestHistory, run, type TestPlace, writer } from '../../../../test/support/history-world.ts'

const changesOf = async (place: TestPlace, path: string) =>
  (await place.history.pathHistory(place.key, path, { before: null, limit: 9 })).map(
    ({ before, after, certainty }) => `${before?.size ?? '-'} to ${after?.size ?? '-'} ${certainty}`,
  )
const beginsNow = (place: TestPlace) => writer('r1', [], [{ kind: 'work', from: place.history.clock(), to: null }])

/** Empties files, has a scan look at them, and writes them. */
async function tear(place: TestPlace, paths: readonly string[], look: () => Promise<unknown>): Promise<void> {
  const files = paths.map((path) => openSync(join(place.root, path), 'w'))
  await look()
  for (const fd of files) {
    writeSync(fd, 'rewritten')
    closeSync(fd)
  }
}

it.runIf(process.platform === 'linux')(
  'F2: a file that a scan sees between truncation and write has no such version',
  async () => {
    await using place = await openTestHistory({ a: 'one', kept: 'x' })
    await place.captured()
    const by = beginsNow(place)
    await tear(place, ['a', 'new'], async () => {
      expect(await place.captured({ writers: [by] })).toMatchObject({ n: 1, changes: [], unsettled: true })
    })
    expect(await place.captured({ at: 'hints', writers: [by] })).toMatchObject({ n: 2, unsettled: false })
    expect(await changesOf(place, 'a')).toEqual(['3 to 9 sole'])
    expect(await changesOf(place, 'new')).toEqual(['- to 9 sole'])
  },
)

it.runIf(process.platform === 'linux')(
  'F2: a write that a scan sees before a run begins is not the run’s alone when it ends',
  async () => {
    await using place = await openTestHistory({ a: 'one' })
    await place.captured()
    let by = writer('r1')
    await tear(place, ['a'], async () => {
      await place.captured()
      for (const before = place.history.clock(); place.history.clock() === before; );
      by = beginsNow(place)
    })
    await place.captured({ writers: [by] })
    expect(await changesOf(place, 'a')).toEqual(['3 to 9 overlapping'])
    const request = { kind: 'undo', of: { kind: 'run', run: run('r1') } } as const
    const plan = await place.history.plan(place.key, { request, paths: [], active: [], writers: [by], now: 9_000 })
    expect(plan.entries).toMatchObject([{ path: 'a', next: { size: 3 }, conflicts: [{ kind: 'uncertain' }] }])
  },
)

it('F1: a file that somebody emptied and closed is recorded as empty', async () => {
  await using place = await openTestHistory({ a: 'one' })
  await place.captured()
  truncateSync(join(place.root, 'a'))
  expect(await place.captured()).toMatchObject({ n: 2, unsettled: false })
  place.write('a', 'again')
  await place.captured()
  expect(await changesOf(place, 'a')).toEqual(['0 to 5 external', '3 to 0 external'])
})
