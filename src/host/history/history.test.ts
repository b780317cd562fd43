import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openTestHistory, run, writer } from '../../../test/support/history-world.ts'

it('F1: the first snapshot has the files at the opening of a place; a change is the next, with its author', async () => {
  await using place = await openTestHistory({ 'a.txt': 'one\n', 'b/c.txt': 'two\n' })
  expect(await place.captured()).toMatchObject({ n: 1, counts: { created: 0, modified: 0, deleted: 0 } })
  place.write('a.txt', 'changed\n')
  place.write('new/deep/file', 'x')
  place.remove('b')
  const { n, changes } = await place.captured({ writers: [writer('r1')] })
  expect(n).toBe(2)
  expect(changes.map(({ path, before, after }) => [path, before?.kind ?? null, after?.kind ?? null])).toEqual([
    ['a.txt', 'file', 'file'],
    ['b', 'folder', null],
    ['b/c.txt', 'file', null],
    ['new', null, 'folder'],
    ['new/deep', null, 'folder'],
    ['new/deep/file', null, 'file'],
  ])
  expect(changes.every(({ certainty }) => certainty === 'sole')).toBe(true)
  expect(await place.text('a.txt', 1)).toBe('one\n')
  expect(await place.text('b/c.txt', 1)).toBe('two\n')
  expect(await place.text('a.txt', 2)).toBe('changed\n')
  expect((await place.history.changesBy(place.key, { run: run('r1') })).map(({ path }) => path)).toEqual(
    changes.map(({ path }) => path),
  )
})

it('F6: without a change there is no snapshot, and marks are set all the same', async () => {
  await using place = await openTestHistory({ a: '1' })
  const mark = { run: run('r1'), session: writer('r1').session, what: 'start' } as const
  expect((await place.captured({ mark })).n).toBe(1)
  expect((await place.history.snapshots(place.key, { before: null, limit: 10 })).map(({ n }) => n)).toEqual([1])
})

it('F6: a hint alone suffices to find a change, and the content of a new folder', async () => {
  await using place = await openTestHistory({ a: '1', 'd/b': '2' })
  await place.captured()
  place.write('a', '11')
  place.write('n/x/y', 'deep')
  place.remove('d')
  const { changes } = await place.captured({ at: 'hints', paths: ['a', 'n', 'd/b'] })
  expect(changes.map(({ path }) => path)).toEqual(['a', 'd', 'd/b', 'n', 'n/x', 'n/x/y'])
  expect((await place.captured()).n).toBe(2)
})

it('F1: an edit that keeps the size, within one tick of the disk and with its time restored, is found', async () => {
  await using place = await openTestHistory({ a: 'aaaa' })
  await place.captured()
  for (let round = 0; round < 20; round++) {
    place.write('a', `b${String(round).padStart(3, '0')}`)
    utimesSync(join(place.root, 'a'), 1_000, 1_000)
    await place.captured()
    expect(await place.text('a', null)).toBe(`b${String(round).padStart(3, '0')}`)
  }
})

it('F1: links and modes are stored as such, and a file may become a link and back', async () => {
  await using place = await openTestHistory({ file: 'x', 'folder/in': 'y' })
  symlinkSync('nowhere', join(place.root, 'dangling'))
  symlinkSync('loop', join(place.root, 'loop'))
  chmodSync(join(place.root, 'file'), 0o600)
  mkdirSync(join(place.root, 'empty'), { mode: 0o700 })
  await place.captured()
  expect(await place.state('dangling')).toMatchObject({ kind: 'link', mode: 0o777, size: 7 })
  expect(await place.text('dangling', null)).toBe('nowhere')
  expect(await place.state('file')).toMatchObject({ kind: 'file', mode: 0o600 })
  expect(await place.state('empty')).toMatchObject({ kind: 'folder', mode: 0o700, digest: null })
  rmSync(join(place.root, 'folder'), { recursive: true })
  symlinkSync('..', join(place.root, 'folder'))
  rmSync(join(place.root, 'file'))
  mkdirSync(join(place.root, 'file'))
  await place.captured({ at: 'hints', paths: ['folder/in', 'file'] })
  expect(await place.state('folder')).toMatchObject({ kind: 'link' })
  expect(await place.state('folder/in')).toBe(null)
  expect(await place.state('file')).toMatchObject({ kind: 'folder' })
})

it('F7: of two runs at work, the one that named a path is its author; without a name the author is unknown', async () => {
  await using place = await openTestHistory({ a: '1', b: '1', c: '1' })
  await place.captured()
  for (const path of ['a', 'b', 'c']) place.write(path, 'changed')
  const writers = [writer('r1', ['a', 'c']), writer('r2', ['c'])]
  const { changes } = await place.captured({ writers })
  expect(changes.map(({ path, certainty, author }) => [path, certainty, author.kind])).toEqual([
    ['a', 'reported', 'run'],
    ['b', 'overlapping', 'unknown'],
    ['c', 'overlapping', 'unknown'],
  ])
  place.write('a', 'by hand')
  expect((await place.captured()).changes).toMatchObject([{ path: 'a', certainty: 'external' }])
})

it('F5: excluded paths are listed with their reason; precious files that git ignores are included', async () => {
  await using place = await openTestHistory(
    {
      '.gitignore': '.env\nout/\n',
      '.env': 'KEY=1',
      'out/made': 'x',
      'node_modules/m/index.js': 'y',
      '.git/HEAD': 'ref',
      'sub/.git/HEAD': 'ref',
      'sub/kept': 'z',
      large: 'l'.repeat(2_000),
    },
    { maxFileBytes: 1_000 },
  )
  await place.captured()
  expect(await place.text('.env', 1)).toBe('KEY=1')
  expect(await place.text('sub/kept', 1)).toBe('z')
  expect(await place.state('sub/.git/HEAD')).toBe(null)
  expect((await place.history.status(place.key)).gaps).toBe(5)
})

it('F5: a .gitignore that is a pipe, a link to a device or a folder blocks no scan', async () => {
  await using place = await openTestHistory({ 'a/kept': '1', 'b/kept': '1', 'c/.gitignore/kept': '1' })
  execFileSync('mkfifo', [join(place.root, 'a/.gitignore')])
  symlinkSync('/dev/zero', join(place.root, 'b/.gitignore'))
  place.write('a/more', '2')
  expect((await place.captured()).changes.map(({ path }) => path)).toEqual(['a/more', 'b/.gitignore'])
})

it('F5: a changed rule covers and uncovers paths without an author', async () => {
  await using place = await openTestHistory({ 'out/made': 'x', 'in/kept': 'y' }, { ignore: ['out/'] })
  await place.captured()
  await place.reopen({ ignore: ['in/'] })
  const { changes, n } = await place.captured({ writers: [writer('r1')] })
  expect(changes).toEqual([])
  expect(await place.text('out/made', n)).toBe('x')
  expect(await place.state('in/kept')).toMatchObject({ digest: null, uncovered: true })
  expect(await place.text('in/kept', 1)).toBe('y')
  // Nobody changed a file, so no list shows the snapshot.
  expect((await place.history.snapshots(place.key, { before: null, limit: 9 })).map((one) => one.n)).toEqual([1])
})

it('F1: a folder that is gone is not a folder whose files were deleted', async () => {
  await using place = await openTestHistory({ a: '1' })
  renameSync(place.root, `${place.root}.away`)
  await expect(place.captured()).rejects.toMatchObject({ code: 'gone' })
  expect((await place.history.status(place.key)).state).toBe('missing')
  renameSync(`${place.root}.away`, place.root)
  expect((await place.captured()).n).toBe(1)
})

it('F6: large content is kept beside the database and read back', async () => {
  const large = 'line of text\n'.repeat(50_000)
  await using place = await openTestHistory({ large })
  expect(await place.text('large', 1)).toBe(large)
})

it('F1: a snapshot of one place is not found in another', async () => {
  await using place = await openTestHistory({ a: '1' })
  place.write('a', '2')
  await place.captured()
  await using other = await place.another({ a: '1' })
  await expect(other.history.stateAt(other.key, 'a', 2)).rejects.toMatchObject({ code: 'not_found' })
  await expect(other.history.pin(other.key, 2, true)).rejects.toMatchObject({ code: 'not_found' })
  await expect(place.history.status('space:unknown')).rejects.toMatchObject({ code: 'not_found' })
})

it('F6: twenty concurrent captures of one folder are all answered', async () => {
  await using place = await openTestHistory({ a: '1' })
  writeFileSync(join(place.root, 'a'), '2')
  const all = await Promise.all(Array.from({ length: 20 }, () => place.captured()))
  expect(new Set(all.map(({ n }) => n))).toEqual(new Set([2]))
})

it('B1: a path out of the place is never read, and a request for one is bad input', async () => {
  await using place = await openTestHistory({ 'in/a': '1' })
  writeFileSync(join(place.root, '../secret'), 'nobody may read this')
  symlinkSync('../..', join(place.root, 'in/up'))
  const paths = ['../secret', '/etc/passwd', 'in/../../secret', 'in/up/secret', '', 'a\0b']
  const { changes } = await place.captured({ at: 'hints', paths })
  expect(changes.map(({ path }) => path)).toEqual(['in/up'])
  for (const path of ['../secret', 'in/../../secret']) {
    await expect(place.text(path, null)).rejects.toMatchObject({ code: 'bad_input' })
    await expect(place.history.diff(place.key, path, { from: 1, to: null })).rejects.toMatchObject({
      code: 'bad_input',
    })
  }
  expect((await place.history.diff(place.key, 'in/up/secret', { from: 1, to: null })).after).toBe(null)
})

it('F6: the first snapshot of a place has the time of its opening, not that of the server', async () => {
  const before = Date.now()
  await using one = await openTestHistory({ a: '1' })
  await new Promise((resolve) => setTimeout(resolve, 50))
  const two = await one.another({ b: '2' })
  const first = async (key: string) => (await one.history.snapshots(key, { before: null, limit: 10 })).at(-1)?.at ?? 0
  const [opened, later] = [await first(one.key), await first(two.key)]
  // The clock of the disk advances in ticks.
  expect(opened).toBeGreaterThan(before - 20)
  expect(later).toBeGreaterThan(opened)
})
