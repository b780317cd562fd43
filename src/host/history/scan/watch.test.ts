import { mkdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openTestHistory, type TestPlace, writer } from '../../../../test/support/history-world.ts'
import { attributor } from './authors.ts'
import { createRunStarts } from './run-starts.ts'

/** Resolves when the history reports a write from outside. */
const outside = (place: TestPlace): Promise<void> =>
  new Promise((resolve) => {
    const stop = place.history.onNews(({ what }) => {
      if (what !== 'outside') return
      stop()
      resolve()
    })
  })

/** More files than a scan by hints walks. */
const MANY = Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`many/${index}`, '']))

async function armed(place: TestPlace): Promise<void> {
  while (!(await place.history.status(place.key)).watching) await new Promise((resolve) => setImmediate(resolve))
}

it('F6: a hint rings, and a capture by hints finds the path without naming it', async () => {
  await using place = await openTestHistory({ ...MANY, 'a/b': '1' })
  await armed(place)
  await place.captured()
  const rung = outside(place)
  place.write('a/b', '2')
  await rung
  const { changes } = await place.captured({ at: 'hints', writers: [writer('r1')] })
  expect(changes.map(({ path }) => path)).toEqual(['a/b'])
})

it('F6: a hint of a new folder is followed into it', async () => {
  await using place = await openTestHistory({ ...MANY, 'a/b': '1' })
  await armed(place)
  await place.captured()
  const rung = outside(place)
  place.write('new/deep/one', '1')
  place.write('new/deep/two', '2')
  await rung
  const { changes } = await place.captured({ at: 'hints' })
  expect(changes.map(({ path }) => path)).toEqual(['new', 'new/deep', 'new/deep/one', 'new/deep/two'])
})

it('F6: before the first walk under an armed watcher, a capture by hints is a walk', async () => {
  await using place = await openTestHistory({ ...MANY, a: '1', b: '1' })
  place.write('b', '2')
  const { changes } = await place.captured({ at: 'hints', paths: ['a'] })
  expect(changes.map(({ path }) => path)).toEqual(['b'])
})

const mark = (what: 'start' | 'end') => ({ run: writer('r1').run, session: writer('r1').session, what })

/** Waits for the next tick of the clock that stamps files. */
function tick(place: TestPlace): void {
  const at = () => {
    place.write('many/0', '')
    return statSync(join(place.root, 'many/0')).ctimeMs
  }
  for (const before = at(); at() === before; );
}

it('F2: a write before a run’s start is not the run’s, though the hint comes later', async () => {
  await using place = await openTestHistory({ ...MANY, 'a/b': '1', 'a/c': '1', 'a/d': '1' })
  await armed(place)
  await place.captured()
  place.write('a/b', 'by a person')
  place.write('by-a-person', '')
  place.remove('a/c')
  tick(place)
  await place.captured({ at: 'hints', mark: mark('start') })
  const before = await place.captured({ writers: [writer('r1')] })
  tick(place)
  place.write('by-the-run', '')
  place.remove('a/d')
  const after = await place.captured({ writers: [writer('r1')], mark: mark('end') })
  const authors = async (path: string) =>
    (await place.history.pathHistory(place.key, path, { before: null, limit: 9 })).map(({ author }) => author.kind)
  for (const path of ['a/b', 'by-a-person', 'a/c']) expect([path, await authors(path)]).toEqual([path, ['outside']])
  for (const path of ['by-the-run', 'a/d']) expect([path, await authors(path)]).toEqual([path, ['run']])
  expect(after.n).toBeGreaterThan(before.n)
})

it('F2: a folder that a run moves is its work with all content, whatever the times', async () => {
  await using place = await openTestHistory({ ...MANY, 'old/a': '1', 'old/deep/b': '2' })
  mkdirSync(join(place.root, 'old/hollow'))
  await armed(place)
  await place.captured()
  // No scan saw this folder of a person before the run writes into it.
  place.write('theirs/by-a-person', '')
  tick(place)
  await place.captured({ at: 'hints', mark: mark('start') })
  tick(place)
  renameSync(join(place.root, 'old'), join(place.root, 'new'))
  place.write('theirs/by-the-run', '')
  const { changes } = await place.captured({ writers: [writer('r1')], mark: mark('end') })
  const whose = new Map(changes.map(({ path, author }) => [path, author.kind]))
  const moved = ['old', 'old/a', 'old/deep', 'old/deep/b', 'old/hollow', 'new', 'new/a', 'new/deep', 'new/deep/b']
  for (const path of [...moved, 'new/hollow', 'theirs/by-the-run'])
    expect([path, whose.get(path)]).toEqual([path, 'run'])
  const theirs = await place.history.pathHistory(place.key, 'theirs/by-a-person', { before: null, limit: 9 })
  expect(theirs.map(({ author }) => author.kind)).toEqual(['outside'])
})

it('F2: a write stamped just before a run’s start is not the run’s, unless it named the path or the clock differs', () => {
  const begun = createRunStarts('/nowhere')
  begun.note([mark('start')], () => 10_000)
  const whose = attributor({ writers: [writer('r1', ['named'])] }, new Map(), begun)
  const state = { kind: 0, mode: 0o644, size: 0, content: null }
  const at = (ctime: number) => ({ known: null, state, stats: { mtime: 0, ctime, ino: 1, racy: false } })
  const kinds = (path: string) => [9_999, 10_000, 7_999].map((ctime) => whose(path, at(ctime)).author.kind)
  expect(kinds('other')).toEqual(['outside', 'run', 'run'])
  expect(kinds('named')).toEqual(['run', 'run', 'run'])
  begun.note([mark('end')], () => 20_000)
  expect(kinds('other')).toEqual(['run', 'run', 'run'])
})

it('F2: in a small place a write just before a run belongs to the state before it', async () => {
  await using place = await openTestHistory({ 'a/b': '1' })
  await armed(place)
  await place.captured()
  place.write('a/b', 'by a person')
  expect(await place.captured({ at: 'hints', mark: mark('start') })).toMatchObject({ n: 2 })
})
