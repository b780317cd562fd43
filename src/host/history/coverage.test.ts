import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type ActWorld, openActWorld, restoreTo, undoOf, undoOfAct } from '../../../test/support/act-world.ts'
import { specOf, writer } from '../../../test/support/history-world.ts'
import type { FileRules } from '../../model/files/conflicts.ts'
import type { FilePath, Plan } from '../../model/files/history.ts'

const PATH = 'src/main.ts'
const SMALL = { maxFileBytes: 64 }
const rules = (world: ActWorld, changed: Partial<FileRules>) =>
  world.history.open(specOf('one', world.root, { ...SMALL, ...changed }))
const at = (world: ActWorld, path: FilePath = PATH) => join(world.root, path)
const text = async (world: ActWorld, path: FilePath, n: number) =>
  Buffer.from(await world.history.content(world.key, path, n, 1 << 20)).toString()
const entry = (plan: Plan, path: FilePath = PATH) => plan.entries.find((one) => one.path === path)
const reasons = (plan: Plan, path: FilePath = PATH) => entry(plan, path)?.conflicts.map(({ kind }) => kind)
const isNamed = (plan: Plan, path: FilePath = PATH) =>
  [...plan.entries, ...plan.gaps].some((one) => one.path === path || path.startsWith(`${one.path}/`))

async function opened(files: Readonly<Record<FilePath, string>> = { [PATH]: 'user v1\n' }): Promise<ActWorld> {
  const world = await openActWorld(files)
  await rules(world, {})
  await world.look()
  return world
}

const scanned = (world: ActWorld) => world.history.capture(world.key, { ...LOOKED, writers: [writer('a')] })

/** Ways in which a path leaves the history, and the way back. `content`: the run's content is on disk. */
interface Leave {
  readonly leave: (world: ActWorld) => unknown
  readonly back: (world: ActWorld) => unknown
}
const ignored = (file: FilePath, line: string): Leave => ({
  leave: (world) => world.write(file, `${line}\n`),
  back: (world) => rmSync(at(world, file), { force: true }),
})
const BY_RULE: Record<string, Leave> = {
  'an ignore line': ignored('.gitignore', 'main.ts'),
  'an ignore line beside it': ignored('src/.gitignore', 'main.ts'),
  'an ignore line for the folder above': ignored('.gitignore', 'src/'),
  'a file rule': { leave: (world) => rules(world, { ignore: ['*.ts'] }), back: (world) => rules(world, {}) },
}
const replaced = (make: (world: ActWorld) => unknown): Leave => ({
  leave(world) {
    rmSync(at(world), { force: true })
    make(world)
  },
  back(world) {
    rmSync(at(world), { recursive: true })
    world.write(PATH, 'clobbered\n')
  },
})
const BY_ITSELF: Record<string, Leave> = {
  'its size': {
    leave: (world) => world.write(PATH, 'x'.repeat(65)),
    back: (world) => world.write(PATH, 'clobbered\n'),
  },
  'its kind, a pipe': replaced((world) => execFileSync('mkfifo', [at(world)])),
  'its kind, a socket': replaced((world) =>
    execFileSync('python3', ['-c', 'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])', at(world)]),
  ),
}

describe('F9: what was covered stays in the past, whatever is covered later', () => {
  it.each(Object.entries({ ...BY_RULE, ...BY_ITSELF }))('the path leaves by %s', async (_, { leave, back }) => {
    await using world = await opened()
    world.write(PATH, 'clobbered\n')
    await leave(world)
    const n = await world.look(['a'])
    expect(await text(world, PATH, 1)).toBe('user v1\n')
    for (const request of [undoOf('a'), restoreTo(1)]) {
      const plan = await world.plan(request)
      expect(reasons(plan)).toContain('gap')
      expect(entry(plan)?.next).toEqual(await world.history.stateAt(world.key, PATH, 1))
    }
    expect((await world.history.changesBy(world.key, { run: 'run_a' as never })).map(({ path }) => path)).toContain(
      PATH,
    )
    await back(world)
    await world.look()
    expect(await text(world, PATH, 1)).toBe('user v1\n')
    world.write(PATH, `${world.read(PATH)}more\n`)
    await world.look(['b'])
    expect(isNamed(await world.plan(undoOf('a')))).toBe(true)
    expect(isNamed(await world.plan(restoreTo(n)))).toBe(true)
    await world.act(restoreTo(1), [PATH])
    expect(world.read(PATH)).toBe('user v1\n')
  })

  it.each(Object.entries(BY_RULE))('the run writes after the path left by %s', async (_, { leave, back }) => {
    await using world = await opened()
    await leave(world)
    await world.look(['a'])
    expect(isNamed({ ...(await world.plan(undoOf('a'))), gaps: [] })).toBe(false)
    world.write(PATH, 'clobbered\n')
    await world.look(['a'])
    for (const request of [undoOf('a'), restoreTo(1)]) expect(reasons(await world.plan(request))).toEqual(['gap'])
    await world.act(undoOf('a'))
    expect(world.read(PATH)).toBe('clobbered\n')
    await back(world)
    await world.look()
    for (const request of [undoOf('a'), restoreTo(1)]) {
      const plan = await world.plan(request)
      expect(entry(plan)).toMatchObject({ next: await world.history.stateAt(world.key, PATH, 1) })
      // Nobody saw who wrote while the path was not covered.
      expect(reasons(plan)).toContain('others_work')
    }
    await world.act(undoOf('a'), [PATH])
    expect(world.read(PATH)).toBe('user v1\n')
  })

  it('an undo of the ignore line alone brings the path back under the history, and the next undo its content', async () => {
    await using world = await opened()
    world.write('.gitignore', 'main.ts\n')
    world.write(PATH, 'clobbered\n')
    await world.look(['a'])
    const act = await world.act(undoOf('a'))
    expect([act.left, act.written]).toEqual([[PATH], ['.gitignore']])
    const plan = await world.plan(undoOf('a'))
    expect(plan.entries.map(({ path, conflicts }) => [path, conflicts])).toEqual([[PATH, []]])
    await world.act(undoOf('a'))
    expect(world.seen()).toMatchObject({ [PATH]: 'file 644 user v1\n' })
  })

  it('a file that a run excluded and deleted comes back with the undo of both, and that has an undo', async () => {
    await using world = await opened()
    world.write('.gitignore', 'main.ts\n')
    rmSync(at(world))
    await world.look(['a'])
    const before = world.seen()
    const act = await world.act(undoOf('a'))
    expect(world.seen()).toMatchObject({ [PATH]: 'file 644 user v1\n' })
    await world.act(undoOfAct(act))
    expect(world.seen()).toEqual(before)
    // The ignore line alone stays: nothing may come to be where the history would not see it.
    expect(reasons(await world.plan({ ...undoOf('a'), paths: [PATH] }))).toEqual(['gap'])
  })

  it('a path that left and came back unchanged is in no plan, and is nobody’s work', async () => {
    await using world = await opened({ [PATH]: 'user v1\n', 'build/out': 'made\n' })
    world.write(PATH, 'by a\n')
    await world.look(['a'])
    for (const ignore of [['build/', 'src/'], []]) {
      await rules(world, { ignore })
      expect((await world.history.capture(world.key, LOOKED)).changes).toEqual([])
    }
    for (const request of [undoOf('a'), restoreTo(1)]) {
      const { entries, gaps } = await world.plan(request)
      expect(entries.map(({ path, conflicts }) => [path, conflicts])).toEqual([[PATH, []]])
      expect(gaps).toEqual([])
    }
    expect((await world.plan(restoreTo(3))).gaps.map(({ path }) => path)).toEqual(['build', 'src'])
  })

  it('an excluded folder that is deleted is no longer taken for present, and a restore brings its files', async () => {
    await using world = await opened({ 'build/out': 'made\n', 'build/sub/deep': 'made\n', keep: 'k' })
    const before = world.seen()
    await rules(world, { ignore: ['build/'] })
    await world.look()
    rmSync(at(world, 'build'), { recursive: true })
    await world.look(['a'])
    expect(await world.history.stateAt(world.key, 'build/out', null)).toBe(null)
    const plan = await world.plan(restoreTo(1))
    expect(plan.entries.map(({ path }) => path)).toEqual(['build', 'build/out', 'build/sub', 'build/sub/deep'])
    await rules(world, {})
    await world.act(
      restoreTo(1),
      plan.entries.map(({ path }) => path),
    )
    expect(world.seen()).toEqual(before)
  })

  it('a link, a file or nothing in place of an excluded folder never stands for what was below it', async () => {
    await using world = await opened({ 'src/sub/a': 'mine\n', 'other/a': 'another\n' })
    rmSync(at(world, 'src/sub'), { recursive: true })
    symlinkSync('../other', at(world, 'src/sub'))
    world.write('.gitignore', 'src/\n')
    await world.look(['a'])
    expect(await text(world, 'src/sub/a', 1)).toBe('mine\n')
    const changes = await world.history.changesBy(world.key, { run: 'run_a' as never })
    expect(changes.map(({ path, after }) => `${path} ${after?.kind}`)).toEqual([
      '.gitignore file',
      'src/sub link',
      'src/sub/a undefined',
    ])
    expect(isNamed(await world.plan(restoreTo(1)), 'src/sub/a')).toBe(true)
  })
})

describe('F9: rules that exclude paths, and the acts that meet them', () => {
  it('F2: a session that covers a path and lets it in again does not undo what was written meanwhile', async () => {
    await using world = await opened()
    world.write('.gitignore', 'main.ts\n')
    await world.look(['a'])
    world.write(PATH, 'user v2\n')
    rmSync(at(world, '.gitignore'))
    await world.look(['a'])
    for (const request of [undoOf('a'), restoreTo(1)]) {
      expect(reasons(await world.plan(request))).toContain('others_work')
      await world.act(request)
      expect(world.read(PATH)).toBe('user v2\n')
    }
  })

  it('a folder that a rule for folders excludes is not made again', async () => {
    await using world = await opened({ 'src/out/a': '1' })
    rmSync(at(world, 'src/out'), { recursive: true })
    await world.look(['a'])
    await rules(world, { ignore: ['out/'] })
    const plan = await world.plan(restoreTo(1))
    for (const path of ['src/out', 'src/out/a']) expect(reasons(plan, path)).toEqual(['gap'])
    await world.act(restoreTo(1))
    expect(Object.keys(world.seen())).not.toContain('src/out')
  })

  it('a version above a new limit is named, and written only once the limit lets it in', async () => {
    await using world = await opened()
    world.write(PATH, 'short\n')
    await world.look(['a'])
    await rules(world, { maxFileBytes: 7 })
    const plan = await world.plan(undoOf('a'))
    expect(entry(plan)?.conflicts).toEqual([{ kind: 'gap', why: 'too_large' }])
    await world.act(undoOf('a'))
    expect(world.read(PATH)).toBe('short\n')
    await rules(world, {})
    await world.act(undoOf('a'))
    expect(world.read(PATH)).toBe('user v1\n')
  })

  it('paths that an ignore file excludes are left where that file is left', async () => {
    await using world = await opened()
    world.write('.gitignore', 'main.ts\n')
    await world.look(['a'])
    rmSync(at(world))
    await world.look(['a'])
    const plan = await world.plan(restoreTo(1))
    const act = await world.applyPlan(plan, { leave: ['.gitignore'] })
    expect(act).toMatchObject({ written: [], left: ['.gitignore', PATH] })
  })
})

const LOOKED = { at: 'everything', paths: [], reason: 'asked', writers: [], now: 1 } as const

describe('F5: a path that comes under the history is named, and no undo claims to bring back what nobody saved', () => {
  const BIG = 'x'.repeat(65)

  it.each<[string, (world: ActWorld) => unknown]>([
    ['a file too large is cut', (world) => world.write(PATH, BIG)],
    ['a pipe becomes a file', (world) => execFileSync('mkfifo', [at(world)])],
  ])('%s', async (_, make) => {
    await using world = await opened({ 'src/other': '1' })
    make(world)
    const to = await world.look()
    rmSync(at(world))
    world.write(PATH, 'short')
    const { changes, counts, leftOut } = await scanned(world)
    expect(leftOut).toEqual({ came: [], went: [], entered: [PATH], left: [] })
    expect(counts).toEqual({ created: 0, modified: 1, deleted: 0 })
    expect(changes).toMatchObject([{ path: PATH, before: { uncovered: true, digest: null }, author: { kind: 'run' } }])
    for (const request of [undoOf('a'), restoreTo(to)]) {
      const plan = await world.plan(request)
      expect(reasons(plan)).toEqual(['gap'])
      await expect(world.applyPlan(plan, { overwrite: [PATH] })).rejects.toMatchObject({ code: 'conflict' })
      await world.act(request)
    }
    expect(world.read(PATH)).toBe('short')
  })

  it('a file in a folder that a run made of an uncovered file is new', async () => {
    await using world = await opened()
    execFileSync('mkfifo', [at(world, 'pipe')])
    await world.look()
    rmSync(at(world, 'pipe'))
    world.write('pipe/in', 'by a\n')
    const { changes, leftOut } = await scanned(world)
    expect(leftOut.entered).toEqual(['pipe'])
    expect(changes.map(({ path, before }) => [path, before?.uncovered])).toEqual([
      ['pipe', true],
      ['pipe/in', undefined],
    ])
    for (const request of [undoOf('a'), restoreTo(1)]) expect(isNamed(await world.plan(request), 'pipe')).toBe(true)
  })

  it('a limit that was raised, and an ignore line that was removed, are no changes of the files', async () => {
    await using world = await opened({ '.gitignore': 'build\n', 'build/sub/out': 'made\n' })
    world.write('big', BIG)
    await world.look()
    rmSync(at(world, '.gitignore'))
    await rules(world, { maxFileBytes: 128 })
    const { changes, leftOut } = await scanned(world)
    expect(changes.map(({ path }) => path)).toEqual(['.gitignore'])
    expect([...leftOut.entered].sort()).toEqual(['big', 'build'])
    for (const request of [undoOf('a'), restoreTo(1)]) {
      const { entries, gaps } = await world.plan(request)
      expect(entries.map(({ path }) => path)).toEqual(['.gitignore'])
      expect(gaps.map(({ path }) => path)).toEqual(['big', 'build'])
    }
    world.write('build/sub/out', 'by b\n')
    await world.look(['b'])
    // Work since the path came in goes back to what was seen then; before that nothing is known.
    expect(entry(await world.plan(undoOf('b')), 'build/sub/out')?.conflicts).toEqual([])
    expect(reasons(await world.plan(restoreTo(1)), 'build/sub/out')).toContain('gap')
    await world.act(restoreTo(1))
    expect(world.read('build/sub/out')).toBe('by b\n')
  })

  it('a file outside of the history that a run deleted is named in its undo', async () => {
    await using world = await opened({ '.gitignore': 'build/\n', 'build/out': 'made\n' })
    world.write('big', BIG)
    await world.look()
    rmSync(at(world, 'build'), { recursive: true })
    rmSync(at(world, 'big'))
    expect([...(await scanned(world)).leftOut.went].sort()).toEqual(['big', 'build'])
    for (const request of [undoOf('a'), restoreTo(1)])
      expect(await world.plan(request)).toMatchObject({ entries: [], gaps: [{ path: 'big' }, { path: 'build' }] })
  })

  it.runIf(process.getuid?.() === 0 && process.seteuid)(
    'a file without rights, and a folder without rights, keep their past and are named when they come back',
    async () => {
      const nobody = 65_534
      const above = mkdtempSync(join(tmpdir(), 'carrel-act-'))
      chownSync(above, nobody, nobody)
      const top = join(above, 'top')
      process.seteuid?.(nobody)
      try {
        await using world = await openActWorld({ [PATH]: 'user v1\n', 'shut/in': 'unseen\n', late: '1' }, { top })
        chmodSync(at(world), 0o000)
        await rules(world, {})
        world.write('late', '2')
        await world.look(['a'])
        expect(await text(world, PATH, 1)).toBe('user v1\n')
        for (const request of [undoOf('a'), restoreTo(1)]) expect(reasons(await world.plan(request))).toEqual(['gap'])
        chmodSync(at(world), 0o644)
        await world.look(['b'])
        expect(entry(await world.plan(undoOf('a')))).toBe(undefined)
        expect(await world.history.stateAt(world.key, PATH, null)).toMatchObject({ mode: 0o644, size: 8 })
        mkdirSync(at(world, 'dark'), { mode: 0o700 })
        world.write('dark/in', 'unseen\n')
        chmodSync(at(world, 'dark'), 0o000)
        await world.look()
        chmodSync(at(world, 'dark'), 0o755)
        const { leftOut } = await scanned(world)
        expect(leftOut.entered).toEqual(['dark'])
        // The run gave rights, and did not make the file.
        await world.act(undoOf('a'))
        chmodSync(at(world, 'dark'), 0o755)
        expect(world.seen()).toMatchObject({ 'dark/in': 'file 644 unseen\n' })
      } finally {
        process.seteuid?.(0)
        rmSync(above, { recursive: true, force: true })
      }
    },
  )
})

it('F5: a file that becomes a folder is left out if a rule excludes only folders, and comes back as a file', async () => {
  await using world = await opened({ d: 'a file\n' })
  await rules(world, { ignore: ['d/'] })
  await world.look()
  const listed = async () => (await world.history.gaps(world.key, 10)).map(({ path, why }) => `${path} ${why}`)
  expect(await listed()).toEqual([])
  rmSync(at(world, 'd'))
  world.write('d/x', 'new\n')
  await world.look(['a'])
  expect(await listed()).toEqual(['d ignored'])
  rmSync(at(world, 'd'), { recursive: true })
  world.write('d', 'a file again\n')
  await world.look(['a'])
  expect(await listed()).toEqual([])
  expect(await text(world, 'd', 1)).toBe('a file\n')
})

it.each<[string, (world: ActWorld, path: FilePath) => unknown]>([
  ['a large file', (world, path) => world.write(path, 'x'.repeat(65))],
  ['a pipe', (world, path) => execFileSync('mkfifo', [at(world, path)])],
])('F5: a path that is not covered and goes away is named: %s', async (_, make) => {
  await using world = await opened()
  make(world, 'gone')
  expect((await scanned(world)).leftOut.came).toEqual(['gone'])
  rmSync(at(world, 'gone'))
  expect((await scanned(world)).leftOut.went).toEqual(['gone'])
})
