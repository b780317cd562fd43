import { appendFileSync, cpSync, linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type ActWorld, openActWorld, restoreTo, undoOf, undoOfAct } from '../../../../test/support/act-world.ts'
import { run, session, specOf, writer } from '../../../../test/support/history-world.ts'
import type { FilePath, Plan, PlanRequest } from '../../../model/files/history.ts'

const FILES = {
  '.gitignore': 'build/\n',
  'build/sub/out': 'made by hand\n',
  'src/a': 'covered\n',
  'src/b': 'covered too\n',
}
/** Files that exist when a run starts are older than this by the clock of the disk, however coarse that is. */
const later = () => Date.now() + 60_000
/** Files that a run makes are younger than this. */
const earlier = () => Date.now() - 60_000

async function started(now: number, files: Readonly<Record<FilePath, string>> = FILES): Promise<ActWorld> {
  const world = await openActWorld(files)
  const mark = { run: run('a'), session: session('a'), what: 'start' } as const
  await world.look([], { mark, now })
  // Opened again, the place knows the run's start only from its table: the files here were written just now.
  await world.history.open(specOf('one', world.root, { maxFileBytes: 64 }))
  return world
}
const move = (world: ActWorld, from: FilePath, to: FilePath) => {
  mkdirSync(join(world.root, dirname(to)), { recursive: true })
  renameSync(join(world.root, from), join(world.root, to))
}
const copiesIn = ({ entries }: Plan) =>
  entries.filter(({ conflicts }) => conflicts.some(({ kind }) => kind === 'only_copy')).map(({ path }) => path)

describe('F2: content that came from outside of the history is removed only when its path is named', () => {
  it.each<[string, (world: ActWorld) => unknown]>([
    ['out of an excluded folder, the folder as a whole', (world) => move(world, 'build/sub', 'kept')],
    ['out of an excluded folder, one file', (world) => move(world, 'build/sub/out', 'kept/out')],
    [
      'out of an excluded folder, of which the history knew the content once',
      async (world) => {
        world.write('src/a', 'made by hand\n')
        await world.look()
        world.write('src/a', 'covered\n')
        await world.look()
        move(world, 'build/sub/out', 'src/b')
      },
    ],
    ['from outside of the place', (world) => renameSync(strange(world, 'out'), join(world.root, 'kept'))],
    [
      'from another disk, which keeps its times',
      (world) => cpSync(strange(world, 'out'), join(world.root, 'kept'), { preserveTimestamps: true }),
    ],
    ['over a file of the place', (world) => move(world, 'build/sub/out', 'src/a')],
  ])('moved %s', async (_, act) => {
    await using world = await started(later())
    await world.look()
    await act(world)
    const now = later()
    await world.look(['a'], { now })
    const before = world.seen()
    for (const request of [undoOf('a'), restoreTo(1)]) {
      const plan = await world.plan(request)
      expect(copiesIn(plan)).toHaveLength(1)
      await expect(world.applyPlan(plan)).rejects.toMatchObject({ code: 'conflict' })
      await world.act(request)
      expect(world.seen()).toEqual(before)
    }
    const named = copiesIn(await world.plan(undoOf('a')))
    const undone = await world.act(undoOf('a'), named)
    expect(undone.written).toContain(named[0])
    await world.act(undoOfAct(undone))
    expect(world.seen()).toEqual(before)
    expect(copiesIn(await world.plan(undoOf('a')))).toEqual(named)
  })

  it('copied out of an excluded folder that went away in the same run', async () => {
    await using world = await started(earlier())
    world.write('kept/out', 'made by hand\n')
    await world.look(['a'])
    expect(copiesIn(await world.plan(undoOf('a')))).toEqual([])
    rmSync(join(world.root, 'build'), { recursive: true })
    await world.look(['a'])
    world.write('after', 'made later\n')
    await world.look(['a'])
    expect(copiesIn(await world.plan(undoOf('a')))).toEqual(['kept/out'])
    expect(copiesIn(await world.plan(restoreTo(1)))).toEqual(['kept/out'])
  })

  it('copied from a file too large, which is gone: content of its size, and not what the run named', async () => {
    await using world = await started(earlier(), { keep: 'k' })
    world.write('big.bin', 'x'.repeat(65))
    await world.look()
    rmSync(join(world.root, 'big.bin'))
    world.write('small', 'x')
    await world.look(['a'])
    expect(copiesIn(await world.plan(undoOf('a')))).toEqual([])
    await world.look()
    world.write('.gitignore', 'log\n')
    world.write('log', '12345')
    await world.look()
    rmSync(join(world.root, 'log'))
    world.write('kept', '12345')
    world.write('named', '67890')
    await world.look([], { writers: [writer('a', ['named'])] })
    expect(copiesIn(await world.plan(undoOf('a')))).toEqual(['kept'])
  })
})

describe('F2: what a run made itself, or moved within the history, needs no word', () => {
  it.each<[string, number, (world: ActWorld) => unknown]>([
    ['files that the run made', earlier(), (world) => world.write('kept/new', 'new\n')],
    ['a move within the history', later(), (world) => move(world, 'src', 'kept')],
    [
      'a move within the history, and an edit',
      later(),
      (world) => {
        move(world, 'src/a', 'kept/a')
        world.write('kept/a', 'covered, and more\n')
      },
    ],
    [
      'a swap within the history, and an edit',
      later(),
      (world) => {
        move(world, 'src/a', 'kept')
        move(world, 'src/b', 'src/a')
        move(world, 'kept', 'src/b')
        world.write('src/b', 'covered, and more\n')
      },
    ],
    [
      'a copy of what the history has, with its times',
      later(),
      (world) =>
        cpSync(join(world.root, 'src'), join(world.root, 'kept'), { recursive: true, preserveTimestamps: true }),
    ],
    [
      'a further link to a file of the history, and an edit of both',
      later(),
      (world) => {
        linkSync(join(world.root, 'src/a'), join(world.root, 'kept'))
        appendFileSync(join(world.root, 'src/a'), 'and more\n')
      },
    ],
    ['an empty file', later(), (world) => world.write('kept', '')],
  ])('%s', async (_, now, act) => {
    await using world = await started(now)
    act(world)
    await world.look(['a'], { now })
    for (const request of [undoOf('a'), restoreTo(1)] satisfies PlanRequest[]) {
      const { entries } = await world.plan(request)
      expect(entries.flatMap(({ conflicts }) => conflicts)).toEqual([])
    }
  })
})

/** Makes a file outside of the place. */
function strange(world: ActWorld, name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'carrel-strange-'))
  cpSync(join(world.root, 'build/sub/out'), join(folder, name))
  utimesSync(join(folder, name), 1_000, 1_000)
  return join(folder, name)
}

describe('F2: content of somebody else that a run only moved is removed only when its path is named', () => {
  it('where the undo is of one of the two paths', async () => {
    await using world = await openActWorld({ 'src/a': 'by hand\n', 'src/b': 'other\n' })
    move(world, 'src/a', 'src/b')
    await world.look(['a'])
    expect(copiesIn(await world.plan({ ...undoOf('a'), paths: ['src/b'] }))).toEqual(['src/b'])
    expect(copiesIn(await world.plan(undoOf('a')))).toEqual([])
  })

  it('where an undo brought it back, and one of the two paths of that undo is undone', async () => {
    await using world = await openActWorld({ 'src/a': 'by hand\n', 'src/b': 'other\n' })
    move(world, 'src/a', 'src/c')
    await world.look(['a'])
    const act = await world.act(undoOf('a'))
    expect(copiesIn(await world.plan({ ...undoOfAct(act), paths: ['src/a'] }))).toEqual(['src/a'])
    expect(copiesIn(await world.plan(undoOfAct(act)))).toEqual([])
  })

  it('where a restore is of one of the two paths of a move', async () => {
    await using world = await openActWorld({ 'src/a': 'by hand\n', 'src/b': 'other\n' })
    const before = await world.look()
    move(world, 'src/a', 'src/c')
    await world.look(['a'])
    expect(copiesIn(await world.plan({ ...restoreTo(before), paths: ['src/c'] }))).toEqual(['src/c'])
    expect(copiesIn(await world.plan(restoreTo(before)))).toEqual([])
  })

  it('where a restore leaves the other path of a move, since its content was a person\u2019s', async () => {
    await using world = await openActWorld({ 'src/a': 'by hand\n', 'src/b': 'other\n' })
    const before = await world.look()
    world.write('src/a', 'by hand, again\n')
    await world.look()
    move(world, 'src/a', 'src/c')
    await world.look(['a'])
    expect(copiesIn(await world.plan(restoreTo(before)))).toEqual(['src/c'])
  })

  it('where a person moved it from a path that came since, and a restore takes it away', async () => {
    await using world = await openActWorld({ 'src/b': 'other\n' })
    const before = await world.look()
    world.write('src/new', 'by a\n')
    await world.look(['a'])
    move(world, 'src/new', 'src/b')
    await world.look()
    expect(copiesIn(await world.plan(restoreTo(before)))).toEqual(['src/b'])
  })

  it('where an apply is of one of the two paths of a move', async () => {
    await using world = await openActWorld({ 'src/a': 'by hand\n', 'src/b': 'other\n' })
    await using copy = await world.another('copy', { 'src/a': 'by hand\n', 'src/b': 'other\n' })
    const source = { key: copy.key, base: await copy.look(), writers: [] }
    move(copy, 'src/a', 'src/c')
    await copy.look(['a'])
    const request = { kind: 'apply', from: 'prj_copy' as never } as const
    expect(copiesIn(await world.plan({ ...request, paths: ['src/a'] }, { source }))).toEqual(['src/a'])
    expect(copiesIn(await world.plan(request, { source }))).toEqual([])
  })

  it('where a snapshot has the move of a person, and one of its two paths is undone', async () => {
    await using world = await openActWorld({ 'src/a': 'by hand\n', 'src/b': 'other\n' })
    move(world, 'src/a', 'src/c')
    const undo = { kind: 'undo', of: { kind: 'snapshot', n: await world.look() } } as const
    expect(copiesIn(await world.plan({ ...undo, paths: ['src/c'] }))).toEqual(['src/c'])
    expect(copiesIn(await world.plan(undo))).toEqual([])
  })

  it('where one of two runs made it', async () => {
    await using world = await openActWorld({ 'src/b': 'other\n' })
    world.write('src/new', 'by b\n')
    await world.look(['a', 'b'])
    move(world, 'src/new', 'src/b')
    await world.look(['a'])
    expect(copiesIn(await world.plan(undoOf('a')))).toEqual(['src/b'])
  })

  it('and content that the run made and moved itself needs no word', async () => {
    await using world = await openActWorld({ 'src/b': 'other\n' })
    world.write('src/b.tmp', 'by a\n')
    await world.look(['a'])
    move(world, 'src/b.tmp', 'src/b')
    await world.look(['a'])
    expect(copiesIn(await world.plan(undoOf('a')))).toEqual([])
  })
})
