import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openTestHistory, type TestPlace, writer } from '../../../test/support/history-world.ts'
import { checkRoot, holdRoot, identityAt } from '../root-folder.ts'
import { guardScan } from './root.ts'
import type { Found } from './scan/findings.ts'

const FILES = { a: '1', b: '2', 'folder/c': '3', 'folder/d': '4' }
const writers = [writer('r1')]
const everything = { before: null, limit: 10 }

const filled = (root: string) => {
  mkdirSync(root)
  writeFileSync(join(root, 'x'), 'x')
}

/** The things that may stand in the place of the folder, which is at `away`. */
const REPLACEMENTS: readonly [string, (root: string, away: string) => void, RegExp][] = [
  ['nothing', () => undefined, /does not exist/],
  ['an empty folder', (root) => mkdirSync(root), /Another folder stands/],
  ['a folder with other files', (root) => filled(root), /Another folder/],
  ['a link to the folder itself', (root, away) => symlinkSync(away, root), /A link stands/],
]

const replaced = (place: TestPlace, put: (root: string, away: string) => void) => {
  renameSync(place.root, `${place.root}-away`)
  put(place.root, `${place.root}-away`)
}
const givenBack = (place: TestPlace) => {
  rmSync(place.root, { recursive: true, force: true })
  renameSync(`${place.root}-away`, place.root)
}

describe.each(REPLACEMENTS)('F8: with %s in the place of the folder', (_, put, message) => {
  it('nothing counts as deleted, also after an opening, and the folder itself goes on when it is back', async () => {
    await using place = await openTestHistory(FILES)
    await place.captured()
    place.write('new', 'n')
    replaced(place, put)
    for (const at of ['hints', 'everything'] as const) {
      await expect(place.captured({ at, paths: ['a', 'new'], writers })).rejects.toMatchObject({
        code: 'gone',
        message: expect.stringMatching(message),
      })
    }
    await place.reopen({})
    expect(await place.history.status(place.key)).toMatchObject({
      state: 'missing',
      problem: expect.stringMatching(message),
    })
    await place.reopen({ maxFileBytes: 1 << 20 })
    await expect(place.captured({ writers })).rejects.toMatchObject({ code: 'gone' })
    expect((await place.history.snapshots(place.key, everything)).map(({ n }) => n)).toEqual([1])
    givenBack(place)
    await place.reopen({})
    const { changes } = await place.captured({ writers })
    expect(changes.map(({ path }) => path)).toEqual(['new'])
  })

  it('an undo and a restore are refused, and write nothing anywhere', async () => {
    await using place = await openTestHistory(FILES)
    place.write('a', 'changed')
    place.remove('b')
    await place.captured({ writers })
    const ask = {
      request: { kind: 'restore', to: 1 },
      now: 2_000,
      writers: [],
      active: [],
      paths: [],
    } as unknown as Parameters<TestPlace['history']['plan']>[1]
    const { digest } = await place.history.plan(place.key, ask)
    replaced(place, put)
    const how = { act: 'act_1', by: { kind: 'person' }, digest, overwrite: [], leave: [] } as never
    await expect(place.history.applyPlan(place.key, ask, how)).rejects.toMatchObject({ code: 'gone' })
    givenBack(place)
    expect((await place.captured()).changes).toEqual([])
  })
})

it('F8: a copy of the folder is recognized, and its differences are nobody’s work here', async () => {
  await using place = await openTestHistory(FILES)
  await place.captured()
  replaced(place, (root, away) => cpSync(away, root, { recursive: true }))
  place.write('a', 'changed elsewhere')
  await expect(place.captured({ writers })).rejects.toMatchObject({ code: 'gone' })
  await place.reopen({})
  place.write('b', 'changed by the run')
  await place.captured({ writers })
  const authorOf = async (path: string) =>
    (await place.history.pathHistory(place.key, path, everything)).map(({ author }) => author.kind)
  expect([await authorOf('a'), await authorOf('b')]).toEqual([['outside'], ['run']])
})

it('F8: a person may go on with another folder: what it lacks counts as deleted by people, and can be restored', async () => {
  await using place = await openTestHistory(FILES)
  await place.captured()
  replaced(place, () => undefined)
  await expect(place.history.accept(place.key)).rejects.toMatchObject({ code: 'gone' })
  mkdirSync(place.root)
  expect(await place.history.accept(place.key)).toMatchObject({ state: 'ready', n: 2, files: 0 })
  const [newest] = await place.history.snapshots(place.key, everything)
  expect(newest).toMatchObject({ n: 2, author: { kind: 'outside' }, counts: { deleted: 5 } })
  expect(await place.text('folder/c', 1)).toBe('3')
})

it('F8: a folder that was away for a part of a scan has lost only what is not there', () => {
  const root = mkdtempSync(join(tmpdir(), 'carrel-guard-'))
  const identity = identityAt(root)
  const guarded = {
    check: () => checkRoot(root, identity),
    hold: () => holdRoot(root, identity),
  }
  try {
    for (const name of ['folder', 'elsewhere']) mkdirSync(join(root, name))
    for (const name of ['a', 'folder/b', 'elsewhere/c']) writeFileSync(join(root, name), name)
    symlinkSync('elsewhere', join(root, 'link'))
    const paths = ['a', 'folder/b', 'gone', 'link/c']
    const none = { covered: new Map(), entered: new Map() }
    const found = () => ({
      changed: new Map(paths.map((path) => [path, { state: null } as Found])),
      gaps: new Map([
        ['elsewhere', null],
        ['ignored', null],
      ]),
      ...none,
    })
    const [quiet, away] = [found(), found()]
    guardScan(root, guarded)(quiet)
    expect([...quiet.changed.keys()]).toEqual(paths)
    const confirm = guardScan(root, guarded)
    renameSync(root, `${root}-away`)
    expect(() => confirm(found())).toThrow(/does not exist/)
    renameSync(`${root}-away`, root)
    confirm(away)
    expect([...away.changed.keys()]).toEqual(['gone', 'link/c'])
    expect([...away.gaps.keys()]).toEqual(['ignored'])
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})
