import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type ActWorld, openActWorld, restoreTo, undoOf, undoOfAct } from '../../../test/support/act-world.ts'
import { strayIn } from '../../../test/support/crash.ts'
import { APPLY, THIN } from '../../../test/support/crash-acts.ts'
import { LOOK, run, writer } from '../../../test/support/history-world.ts'
import type { PlanRequest } from '../../model/files/history.ts'
import type { PlanAsk } from './history.ts'
import { explainError } from './log/db.ts'

const canMount = process.platform === 'linux' && process.getuid?.() === 0
const timeout = 180_000

/** Small disk that can be full. */
interface Disk {
  readonly at: string
  fill(): void
  free(): void
}

const folders: string[] = []
const mounted: string[] = []
const worlds: ActWorld[] = []
afterEach(async () => {
  vi.restoreAllMocks()
  for (const { keeper } of worlds.splice(0)) await keeper.close().catch(() => {})
  for (const disk of mounted.splice(0)) execFileSync('umount', ['-l', disk])
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'carrel-full-'))
  folders.push(folder)
  return folder
}

function mountDisk(): Disk {
  const at = newFolder()
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', at])
  mounted.push(at)
  const filler = join(at, 'filler')
  return {
    at,
    fill() {
      const fd = openSync(filler, 'a')
      for (let size = 1 << 22; size > 0; size >>= 1) fillBy(fd, Buffer.alloc(size))
      closeSync(fd)
    },
    free: () => rmSync(filler, { force: true }),
  }
}

function fillBy(fd: number, bytes: Buffer): void {
  try {
    for (;;) writeSync(fd, bytes)
  } catch {
    // Full.
  }
}

const large = (fill: string): string => `${fill} and so on\n`.repeat(30_000)
const SMALL = { a: '1', gone: 'g', 'gone-too/x': 'x', other: 'o' }
const FILES = { ...SMALL, large: large('first') }

/** Opens a place and its history, one or both on a small disk. */
async function opened(
  files: Readonly<Record<string, string>>,
  { has = 'both', point }: { has?: 'both' | 'place' | 'history'; point?: (name: string) => void } = {},
) {
  const disk = mountDisk()
  const other = has === 'both' ? disk.at : newFolder()
  const root = join(has === 'history' ? other : disk.at, 'one')
  const world = await openActWorld(files, { top: has === 'place' ? other : disk.at, root, ...(point && { point }) })
  worlds.push(world)
  return { disk, world }
}

const thrownBy = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (error: unknown) => error,
  )

/** Expects the error that the thread of the history reports for a full disk. */
const expectFull = (error: unknown) =>
  expect(explainError(error)).toMatchObject({ code: 'unavailable', message: expect.stringMatching(/full.*make room/i) })

/**
 * Fills the disk right before the commit with this number. Returns true when the work failed and said so; false when it
 * has fewer commits and succeeded.
 */
async function failsAtCommit(at: number, disk: Disk, work: () => Promise<unknown>): Promise<boolean> {
  let commits = 0
  const { exec } = DatabaseSync.prototype
  vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function (this: DatabaseSync, sql) {
    if (sql === 'commit') commits += 1
    if (sql === 'commit' && commits === at) disk.fill()
    exec.call(this, sql)
  })
  const failure = await thrownBy(work())
  vi.restoreAllMocks()
  if (commits < at) expect(failure).toBe(null)
  else expectFull(failure)
  return commits >= at
}

const changesBy = async ({ history, key }: ActWorld, name: string): Promise<string[]> =>
  (await history.changesBy(key, { run: run(name) })).map(({ path }) => path)

describe.skipIf(!canMount)('a full disk (skipped: mounting a small one needs root)', () => {
  const acts = [
    { kind: 'undo', has: 'history', request: undoOf('a') },
    { kind: 'restore', has: 'place', request: restoreTo(1) },
    { kind: 'apply', has: 'both', request: APPLY },
  ] as const satisfies readonly { kind: PlanRequest['kind']; has: string; request: PlanRequest }[]

  const fullAtEachStep = async ({ kind, has, request }: (typeof acts)[number]) => {
    const full = { at: 0, fill: () => {}, steps: 0 }
    const point = () => {
      full.steps += 1
      if (full.steps === full.at) full.fill()
    }
    const { disk, world } = await opened(SMALL, { has, point })
    const project = kind === 'apply' ? await world.another('two', SMALL) : world
    const more: Partial<PlanAsk> = kind === 'apply' ? { source: { key: project.key, base: 1, writers: [] } } : {}
    const act = () => world.act(request, [], more)
    const list = () => world.history.acts(world.key, { before: null, limit: 1_000 })
    project.write('a', 'changed')
    project.write('new/n', 'new')
    for (const path of ['gone', 'gone-too']) rmSync(join(project.root, path), { recursive: true })
    await project.look(['a'])
    await world.look()
    const before = world.seen()
    await world.act(undoOfAct(await act()))
    expect(world.seen()).toEqual(before)
    let failures = 0
    full.fill = disk.fill
    for (let isReached = true; isReached; ) {
      Object.assign(full, { at: full.at + 1, steps: 0 })
      const had = (await list()).length
      const failure = await thrownBy(act())
      isReached = full.steps >= full.at
      if (failure) expectFull(failure)
      failures += failure ? 1 : 0
      full.steps = Number.NEGATIVE_INFINITY
      // Other runs continue: the rest of the act is not theirs.
      await world.look(['b']).catch(expectFull)
      disk.free()
      await world.look(['b'])
      const isDone = (await list()).length > had
      if (!isDone) expect(world.seen(), `full at step ${full.at}`).toEqual(before)
      if (!isDone) expect(failure).not.toBe(null)
      const done = isDone ? (await list())[0]! : await act()
      expect(world.read('a') === 'changed').toBe(kind === 'apply')
      expect(done.written).toHaveLength(6)
      await world.act(undoOfAct(done))
      expect(world.seen(), `full at step ${full.at}`).toEqual(before)
      expect(await changesBy(world, 'b')).toEqual([])
    }
    expect(failures).toBeGreaterThan(2)
    expect(strayIn(world.folder)).toEqual([])
  }
  for (const act of acts)
    it(
      `F4: at any step of an act is reported, the act is atomic, and succeeds with space (${act.kind})`,
      { timeout, tags: act.kind === 'undo' ? [] : ['long'] },
      () => fullAtEachStep(act),
    )

  it('F4: in a capture stores nothing partially, and the next capture has everything', { timeout }, async () => {
    for (let at = 1, isFull = true; isFull; at++) {
      const { disk, world } = await opened(FILES)
      world.write('a', 'by A')
      world.write('large', large('second'))
      isFull = await failsAtCommit(at, disk, () => world.look(['a']))
      expect((await world.history.status(world.key)).n).toBe(isFull ? 1 : 2)
      // This comes before any sweep: a copy of unstored content would take the missing space.
      expect(strayIn(world.folder)).toEqual([])
      disk.free()
      expect(await world.look(['a'])).toBe(2)
      expect(await changesBy(world, 'a')).toEqual(['a', 'large'])
    }
  })

  it('F4: in a first import: earlier files have no author once there is space again', {
    timeout,
    tags: ['long'],
  }, async () => {
    for (let at = 1, isFull = true; isFull; at++) {
      const { disk, world } = await opened({})
      const root = join(disk.at, 'two')
      for (const [path, text] of Object.entries(FILES)) {
        mkdirSync(dirname(join(root, path)), { recursive: true })
        writeFileSync(join(root, path), text)
      }
      isFull = await failsAtCommit(at, disk, () => world.another('two', {}))
      disk.free()
      // Opening fails while the act cannot even begin, and is then repeated.
      await thrownBy(world.another('two', {}))
      const key = 'space:two'
      await world.history.capture(key, { ...LOOK, writers: [writer('a')] })
      expect(await world.history.status(key)).toMatchObject({ state: 'ready', n: 1, files: 5, problem: null })
      expect(await world.history.changesBy(key, { run: run('a') })).toEqual([])
    }
  })

  it('F4: in a sweep: listed snapshots are complete, and with space the sweep succeeds', {
    timeout,
    tags: ['long'],
  }, async () => {
    for (let at = 1, isFull = true; isFull; at++) {
      const { disk, world } = await opened(FILES)
      const { history, key } = world
      for (const round of [2, 3, 4, 5]) {
        world.write('large', large(`round ${round}`))
        await world.look()
      }
      isFull = await failsAtCommit(at, disk, () => history.sweep(THIN))
      disk.free()
      const list = async () => (await history.snapshots(key, { before: null, limit: 10 })).map(({ n }) => n)
      for (const n of await list()) {
        const held = Buffer.from(await history.content(key, 'large', n, 1 << 20)).toString()
        expect(held).toBe(n === 1 ? FILES.large : large(`round ${n}`))
      }
      await history.sweep(THIN)
      expect(await list()).toEqual([5])
      expect(strayIn(world.folder)).toEqual([])
    }
  })

  it('F4: at an opening is reported, and with space the place opens', { timeout }, async () => {
    const { disk, world } = await opened(FILES)
    await world.keeper.close()
    disk.fill()
    expectFull(await thrownBy(openActWorld({}, { top: disk.at })))
    disk.free()
    const again = await openActWorld({}, { top: disk.at })
    worlds.push(again)
    expect(await again.look()).toBe(1)
  })
})
