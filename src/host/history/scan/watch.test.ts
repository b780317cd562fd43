import {
  copyFileSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openTestHistory, type TestPlace, writer } from '../../../../test/support/history-world.ts'

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

const mark = { run: writer('r1').run, session: writer('r1').session, what: 'start' } as const

/** Waits for the next tick of the clock that stamps files, and reads it. */
function tick(place: TestPlace): number {
  const before = place.history.clock()
  let now = before
  while (now === before) now = place.history.clock()
  return now
}

/** A run that begins now: no write before this counts as its work. */
const beginsNow = (place: TestPlace) => writer('r1', [], [{ kind: 'work', from: tick(place), to: null }])

it('F2: the scan before a run sees what a person did just before it, in a folder of many files too', async () => {
  await using place = await openTestHistory({ ...MANY, 'a/b': '1', 'a/c': '1' })
  await armed(place)
  await place.captured()
  place.write('a/b', 'by a person')
  unlinkSync(join(place.root, 'a/c'))
  const { changes } = await place.captured({ at: 'hints', mark })
  expect(changes.map(({ path, author }) => [path, author.kind])).toEqual([
    ['a/b', 'outside'],
    ['a/c', 'outside'],
  ])
})

it('F2: a write before a run’s beginning is not the run’s, though the hint comes later', async () => {
  await using place = await openTestHistory({ ...MANY, 'a/b': '1', 'a/c': '1', 'a/d': '1', 'e/f': '1', 'e/g': '1' })
  await armed(place)
  await place.captured()
  place.write('a/b', 'by a person')
  place.write('by-a-person', '')
  place.remove('a/c')
  renameSync(join(place.root, 'e/f'), join(place.root, 'moved'))
  await place.captured({ at: 'hints' })
  const by = beginsNow(place)
  // The run works in the folder that the file left, before any scan sees that.
  renameSync(join(place.root, 'e/g'), join(place.root, 'e/h'))
  const before = await place.captured({ writers: [by] })
  tick(place)
  place.write('by-the-run', '')
  place.remove('a/d')
  const after = await place.captured({ writers: [by] })
  const authors = async (path: string) =>
    (await place.history.pathHistory(place.key, path, { before: null, limit: 9 })).map(({ author }) => author.kind)
  for (const path of ['a/b', 'by-a-person', 'a/c', 'e/f', 'moved'])
    expect([path, await authors(path)]).toEqual([path, ['outside']])
  for (const path of ['by-the-run', 'a/d', 'e/g', 'e/h']) expect([path, await authors(path)]).toEqual([path, ['run']])
  expect(after.n).toBeGreaterThan(before.n)
})

it('F2: a folder that a run moves is its work with all content, whatever the times', async () => {
  await using place = await openTestHistory({ ...MANY, 'old/a': '1', 'old/deep/b': '2' })
  mkdirSync(join(place.root, 'old/hollow'))
  await armed(place)
  await place.captured()
  await place.captured({ at: 'hints' })
  // No scan saw this folder of a person before the run writes into it: moved there by the run, it would look the same.
  place.write('theirs/by-a-person', '')
  const by = beginsNow(place)
  tick(place)
  renameSync(join(place.root, 'old'), join(place.root, 'new'))
  place.write('theirs/by-the-run', '')
  const { changes } = await place.captured({ writers: [by] })
  const whose = new Map(changes.map(({ path, certainty }) => [path, certainty]))
  const moved = ['old', 'old/a', 'old/deep', 'old/deep/b', 'old/hollow', 'new', 'new/a', 'new/deep', 'new/deep/b']
  for (const path of [...moved, 'new/hollow', 'theirs/by-the-run'])
    expect([path, whose.get(path)]).toEqual([path, 'sole'])
  expect(whose.get('theirs/by-a-person')).toBe('overlapping')
})

/** Moves that bring other files to known paths. Each is done right after the files were written. */
const MOVES: Readonly<Record<string, (at: (path: string) => string) => void>> = {
  'a folder in place of another': (at) => {
    rmSync(at('a'), { recursive: true })
    renameSync(at('b'), at('a'))
  },
  'two folders that change places': (at) => {
    renameSync(at('a'), at('t'))
    renameSync(at('b'), at('a'))
    renameSync(at('t'), at('b'))
  },
  'two files that change places': (at) => {
    renameSync(at('a/f'), at('t'))
    renameSync(at('b/f'), at('a/f'))
    renameSync(at('t'), at('b/f'))
  },
  'a moved folder, whose old path is written again': (at) => {
    rmSync(at('a'), { recursive: true })
    renameSync(at('b'), at('a'))
    mkdirSync(at('b'))
    writeFileSync(at('b/f'), 'new')
  },
  'a deeper folder that moves up': (at) => {
    rmSync(at('a'), { recursive: true })
    renameSync(at('c/a'), at('a'))
  },
  'a hard link in place of a file': (at) => {
    unlinkSync(at('a/f'))
    linkSync(at('b/f'), at('a/f'))
  },
  'a copy that keeps the times': (at) => {
    const { atime, mtime } = statSync(at('b/f'))
    copyFileSync(at('b/f'), at('a/f'))
    utimesSync(at('a/f'), atime, mtime)
  },
  'an archive with old times, unpacked': (at) => {
    writeFileSync(at('a/f'), 'old')
    utimesSync(at('a/f'), 1_000, 1_000)
  },
  'a folder from outside, with old files': (at) => {
    rmSync(at('a'), { recursive: true })
    renameSync(at('.git/b'), at('a'))
  },
}
const TWINS = Object.keys(MOVES).flatMap((move) =>
  ['a/f', 'b/f', 'c/a/f', '.git/b/f'].map((path): [string, string] => [`${move}/${path}`, path]),
)

/** Writes all files, scans them, and makes all moves within a moment as a run. Returns the changes of the run. */
async function moves(place: TestPlace, at: 'hints' | 'everything') {
  await armed(place)
  await place.captured()
  for (const [path, text] of TWINS) place.write(path, text + text)
  tick(place)
  await place.captured({ at, paths: TWINS.map(([path]) => path) })
  const by = beginsNow(place)
  tick(place)
  for (const [name, move] of Object.entries(MOVES)) move((path) => join(place.root, name, path))
  const { changes } = await place.captured({ writers: [by] })
  for (const name of Object.keys(MOVES)) expect(changes.map(({ path }) => path)).toContain(`${name}/a/f`)
  return changes
}

it('F2: whatever file comes to lie at a path, the change is the run’s, though the file was just written', async () => {
  await using place = await openTestHistory(Object.fromEntries(TWINS))
  expect((await moves(place, 'everything')).filter(({ certainty }) => certainty !== 'sole')).toEqual([])
})

it('F2: after a scan by hints alone, only a folder from outside may be another’s: nobody has seen it come', async () => {
  await using place = await openTestHistory({ ...MANY, ...Object.fromEntries(TWINS) })
  const doubtful = (await moves(place, 'hints')).filter(({ certainty }) => certainty !== 'sole')
  expect(doubtful.map(({ path, certainty }) => [path, certainty])).toEqual([
    ['a folder from outside, with old files/a/f', 'overlapping'],
  ])
})

it('F2: in a small place a write just before a run belongs to the state before it', async () => {
  await using place = await openTestHistory({ 'a/b': '1' })
  await armed(place)
  await place.captured()
  place.write('a/b', 'by a person')
  expect(await place.captured({ at: 'hints', mark })).toMatchObject({ n: 2 })
})
