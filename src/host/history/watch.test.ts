import { mkdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openTestHistory, type TestPlace, writer } from '../../../test/support/history-world.ts'
import { attributor } from './authors.ts'
import { createBegun } from './begun.ts'

/** Resolves when the history says that somebody wrote in the place. */
const outside = (place: TestPlace): Promise<void> =>
  new Promise((resolve) => {
    const stop = place.history.onNews(({ what }) => {
      if (what !== 'outside') return
      stop()
      resolve()
    })
  })

/** So many files that a look by hints does not walk. */
const MANY = Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`many/${index}`, '']))

async function armed(place: TestPlace): Promise<void> {
  while (!(await place.history.status(place.key)).watching) await new Promise((resolve) => setImmediate(resolve))
}

it('F6: a hint rings, and a capture by hints finds what it names without being told a path', async () => {
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

it('F6: before a walk has vouched for the watcher a capture by hints is a walk', async () => {
  await using place = await openTestHistory({ ...MANY, a: '1', b: '1' })
  place.write('b', '2')
  const { changes } = await place.captured({ at: 'hints', paths: ['a'] })
  expect(changes.map(({ path }) => path)).toEqual(['b'])
})

const mark = (what: 'start' | 'end') => ({ run: writer('r1').run, session: writer('r1').session, what })

/** Waits until the clock that stamps files has gone on. */
function tick(place: TestPlace): void {
  const at = () => {
    place.write('many/0', '')
    return statSync(join(place.root, 'many/0')).ctimeMs
  }
  for (const before = at(); at() === before; );
}

it('F2: what was written before a run began is not its own, though the watcher tells of it later', async () => {
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

it('F2: a folder that a run moves is its own with all that is in it, whatever the times of that', async () => {
  await using place = await openTestHistory({ ...MANY, 'old/a': '1', 'old/deep/b': '2' })
  mkdirSync(join(place.root, 'old/hollow'))
  await armed(place)
  await place.captured()
  // Not looked at before the run begins: a folder of a person, into which the run writes then.
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

it('F2: what the disk stamped just before a run began is not its own, unless it named it or the clock is not ours', () => {
  const begun = createBegun('/nowhere')
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

it('F2: in a small place what was written just before a run is there before it', async () => {
  await using place = await openTestHistory({ 'a/b': '1' })
  await armed(place)
  await place.captured()
  place.write('a/b', 'by a person')
  expect(await place.captured({ at: 'hints', mark: mark('start') })).toMatchObject({ n: 2 })
})
