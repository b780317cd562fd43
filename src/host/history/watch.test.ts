import { expect, it } from 'vitest'
import { openTestHistory, type TestPlace, writer } from '../../../test/support/history-world.ts'

/** Resolves when the history says that somebody wrote in the place. */
const outside = (place: TestPlace): Promise<void> =>
  new Promise((resolve) => {
    const stop = place.history.onNews(({ what }) => {
      if (what !== 'outside') return
      stop()
      resolve()
    })
  })

async function armed(place: TestPlace): Promise<void> {
  while (!(await place.history.status(place.key)).watching) await new Promise((resolve) => setImmediate(resolve))
}

it('F6: a hint rings, and a capture by hints finds what it names without being told a path', async () => {
  await using place = await openTestHistory({ 'a/b': '1' })
  await armed(place)
  await place.captured()
  const rung = outside(place)
  place.write('a/b', '2')
  await rung
  const { changes } = await place.captured({ at: 'hints', writers: [writer('r1')] })
  expect(changes.map(({ path }) => path)).toEqual(['a/b'])
})

it('F6: a hint of a new folder is followed into it', async () => {
  await using place = await openTestHistory({ 'a/b': '1' })
  await armed(place)
  await place.captured()
  const rung = outside(place)
  place.write('new/deep/one', '1')
  place.write('new/deep/two', '2')
  await rung
  const { changes } = await place.captured({ at: 'hints' })
  expect(changes.map(({ path }) => path)).toEqual(['new', 'new/deep', 'new/deep/one', 'new/deep/two'])
})

it('F6: before a walk has vouched for the watcher a capture by hints is a walk', async () => {
  await using place = await openTestHistory({ a: '1', b: '1' })
  place.write('b', '2')
  const { changes } = await place.captured({ at: 'hints', paths: ['a'] })
  expect(changes.map(({ path }) => path)).toEqual(['b'])
})
