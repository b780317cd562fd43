import { rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type ActWorld, openActWorld } from '../../../../test/support/act-world.ts'
import { type CrashLab, openCrashLab, strayIn } from '../../../../test/support/crash.ts'
import { THIN } from '../../../../test/support/crash-acts.ts'

/** The tests start many processes on a busy machine. */
const timeout = 300_000

/** Returns content that is large enough for a blob of its own. */
const large = (fill: string): string => `${fill} and so on\n`.repeat(30_000)
const files = { a: '1', gone: 'g', 'folder/x': 'x', large: large('first'), other: 'o' }

async function prepared(lab: CrashLab, change: (world: ActWorld) => unknown): Promise<void> {
  const world = await openActWorld(files, { top: lab.first })
  symlinkSync('a', join(world.root, 'link'))
  await world.look()
  await change(world)
  await world.keeper.close()
}

/** Returns everything that the history lists at a snapshot, by path. */
async function heldAt({ history, key }: ActWorld, n: number): Promise<Record<string, string>> {
  const rows = await history.between(key, { from: 0, to: n, after: null, limit: 1_000 })
  const held = rows.map(async ({ path, after }) => {
    if (after?.kind === 'folder') return [path, 'folder'] as const
    return [path, Buffer.from(await history.content(key, path, n, 1 << 20)).toString()] as const
  })
  return Object.fromEntries(await Promise.all(held))
}

const onDisk = (world: ActWorld): Record<string, string> =>
  Object.fromEntries(
    Object.entries(world.seen()).map(([path, seen]) => [path, seen.replace(/^(file \d+ |link |(folder) \d+)/, '$2')]),
  )

async function closeClean(world: ActWorld): Promise<void> {
  await world.history.sweep({ ...THIN, keepAllMs: THIN.now })
  await world.keeper.close()
  expect(strayIn(world.folder)).toEqual([])
}

it('F4: a first import that is killed at any step continues, and everything is in the first snapshot', {
  timeout,
}, async () => {
  using lab = openCrashLab()
  const [, world] = [rmSync(lab.first, { recursive: true }), await openActWorld(files, { top: lab.first })]
  symlinkSync('a', join(world.root, 'link'))
  await world.keeper.close()
  rmSync(world.folder, { recursive: true })
  const steps = await lab.killAtEach('open', async ({ top }) => {
    const again = await openActWorld({}, { top })
    expect(await again.history.status(again.key)).toMatchObject({ state: 'ready', n: 1, gaps: 0, files: 6 })
    expect(await again.look(['a'])).toBe(1)
    expect(await heldAt(again, 1)).toEqual(onDisk(again))
    await closeClean(again)
  })
  expect(steps.length).toBeGreaterThan(10)
})

it('F4: after a capture that is killed at any step, the next has every change once, and earlier states', {
  timeout,
  tags: ['long'],
}, async () => {
  using lab = openCrashLab()
  let before: Record<string, string> = {}
  await prepared(lab, (world) => {
    before = onDisk(world)
    world.write('a', 'by A')
    world.write('large', large('second'))
    world.write('new/n', 'n')
    world.write('new/larger', large('third'))
    for (const path of ['gone', 'folder']) rmSync(join(world.root, path), { recursive: true })
  })
  const steps = await lab.killAtEach('capture', async ({ top, at }) => {
    const world = await openActWorld({}, { top })
    // A copy of a file that is no longer scanned has no user.
    if (at % 2 === 1) writeFileSync(join(world.root, 'new/larger'), large('fourth'))
    const { n: newest } = await world.history.status(world.key)
    const n = await world.look(['a'])
    expect(n).toBeLessThanOrEqual(newest + 1)
    expect(await world.look(['a'])).toBe(n)
    expect(await heldAt(world, n)).toEqual(onDisk(world))
    expect(await heldAt(world, 2)).toEqual(before)
    const changes = await world.history.between(world.key, { from: 2, to: null, after: null, limit: 100 })
    const by = await world.history.changesBy(world.key, { run: 'run_a' as never })
    expect(new Set(by.map(({ path }) => path))).toEqual(new Set(changes.map(({ path }) => path)))
    await closeClean(world)
  })
  expect(steps.length).toBeGreaterThan(6)
})

it('F4: a sweep that is killed at any step leaves listed snapshots complete, and the next one finishes it', {
  timeout,
  tags: ['long'],
}, async () => {
  using lab = openCrashLab()
  const was: Record<number, Record<string, string>> = {}
  await prepared(lab, async (world) => {
    for (let round = 0; round < 4; round++) {
      world.write('a', `round ${round}`)
      if (round % 2 === 1) world.write('large', large(`round ${round}`))
      const n = await world.look(['a'])
      was[n] = onDisk(world)
      if (round === 1) await world.history.pin(world.key, n, true)
    }
  })
  const listed = async ({ history, key }: ActWorld) =>
    (await history.snapshots(key, { before: null, limit: 100 })).map(({ n }) => n)
  const expectWhole = async (world: ActWorld) => {
    for (const n of await listed(world)) if (was[n]) expect(await heldAt(world, n)).toEqual(was[n])
  }
  const bytes = new Set<number>()
  const steps = await lab.killAtEach('sweep', async ({ top }) => {
    const world = await openActWorld({}, { top })
    await expectWhole(world)
    await world.history.sweep(THIN)
    expect(await listed(world)).toEqual([6, 4])
    await expectWhole(world)
    bytes.add((await world.history.status(world.key)).bytes)
    await world.keeper.close()
    expect(strayIn(world.folder)).toEqual([])
  })
  expect(bytes.size).toBe(1)
  expect(steps.length).toBeGreaterThan(4)
})
