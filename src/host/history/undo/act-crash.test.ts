import { execFileSync } from 'node:child_process'
import { chmodSync, lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type ActWorld,
  openActWorld,
  restoreTo,
  seenIn,
  undoOf,
  undoOfAct,
} from '../../../../test/support/act-world.ts'
import { type CrashLab, type Killed, openCrashLab, strayIn } from '../../../../test/support/crash.ts'
import { APPLY, fromTwo, openPair } from '../../../../test/support/crash-acts.ts'
import type { Act } from '../../../model/files/history.ts'

/** The tests start two hundred processes on a busy machine. */
const timeout = 300_000

type Seen = ReturnType<ActWorld['seen']>
interface Outcome {
  readonly before: Seen
  readonly after: Seen
}

/**
 * Opens the place of a killed process. Expects the state before or after the act, no leftovers, and no author for its
 * writes but the act; the request can then be made, or the act undone.
 */
async function settled(
  { top }: Killed,
  { before, after }: Outcome,
  { open, again }: { open(top: string): Promise<ActWorld>; again(world: ActWorld): Promise<Act> },
): Promise<'before' | 'after'> {
  const world = await open(top)
  const [act] = await acts(world)
  expect(world.seen()).toEqual(act ? after : before)
  const { n } = await world.history.status(world.key)
  expect(await world.look()).toBe(n)
  if (act) {
    const own = await world.history.changesBy(world.key, { act: act.id })
    expect(own.map(({ path }) => path).sort()).toEqual([...act.written].sort())
    await world.act(undoOfAct(act))
  } else await again(world)
  expect(world.seen()).toEqual(act ? before : after)
  await world.keeper.close()
  expect(strayIn(world.folder)).toEqual([])
  return act ? 'after' : 'before'
}

const acts = (world: ActWorld): Promise<Act[]> => world.history.acts(world.key, { before: null, limit: 10 })

/** Kills at each step. Only after full preparation does the next opening finish the act. */
async function expectAllOrNothing(lab: CrashLab, act: string, check: (killed: Killed) => Promise<'before' | 'after'>) {
  const became: string[] = []
  const steps = await lab.killAtEach(act, async (killed) => {
    became[killed.at - 1] = await check(killed)
  })
  const prepared = steps.findIndex((step) => step.startsWith('update journal'))
  expect(became.slice(0, steps.length)).toEqual(steps.map((_, at) => (at <= prepared ? 'before' : 'after')))
  return steps
}

const files = { a: '1', gone: 'g', 'gone-too/x': 'x', swap: 'a file', 'unswap/y': 'y', mode: 'm', other: 'o' }

describe('an undo', () => {
  let lab: CrashLab
  const was: { before: Seen; after: Seen } = { before: {}, after: {} }
  const how = { open: (top: string) => openActWorld({}, { top }), again: (world: ActWorld) => world.act(undoOf('a')) }

  /**
   * Prepares one of each: content, a deletion, a creation, links, a mode, added and removed folders, and swapped kinds.
   */
  beforeAll(async () => {
    lab = openCrashLab()
    const world = await openActWorld(files, { top: lab.first })
    const at = (path: string) => join(world.root, path)
    symlinkSync('a', at('link'))
    chmodSync(at('gone-too'), 0o750)
    await world.look()
    was.after = world.seen()
    world.write('a', 'by A')
    for (const path of ['gone', 'gone-too', 'swap', 'unswap', 'link']) rmSync(at(path), { recursive: true })
    world.write('swap/in', 'by A')
    world.write('unswap', 'by A')
    world.write('new/n', 'by A')
    symlinkSync('b', at('link'))
    symlinkSync('b', at('new-link'))
    chmodSync(at('mode'), 0o600)
    await world.look(['a'])
    was.before = world.seen()
    await world.keeper.close()
  }, timeout)
  afterAll(() => lab[Symbol.dispose]())

  it('F4: killed at any step, a place is fully before or fully after at the next opening', {
    timeout,
    tags: ['long'],
  }, async () => {
    const untouched = lstatSync(join(lab.first, 'one/other')).mtimeMs
    const steps = await expectAllOrNothing(lab, 'undo', async (killed) => {
      const became = await settled(killed, was, how)
      expect(lstatSync(join(killed.top, 'one/other')).mtimeMs).toBe(untouched)
      return became
    })
    expect(steps.length).toBeGreaterThan(40)
  })

  it('F4: killed during its rollback, a place is fully before at the next opening', {
    timeout,
    tags: ['long'],
  }, async () => {
    const became: string[] = []
    const steps = await lab.killAtEach('undo that is taken back', async (killed) => {
      became[killed.at - 1] = await settled(killed, was, how)
    })
    // A crash just before the journal entry finds an act that can be finished.
    expect(became).toEqual(became.map((_, at) => (at === 0 ? 'after' : 'before')))
    expect(steps.length).toBeGreaterThan(15)
  })

  it('F4: killed half way before another write: that write stays, everything else is rolled back', {
    timeout,
  }, async () => {
    const top = await lab.killAt('undo', 'renameSync a')
    writeFileSync(join(top, 'one/a'), 'by me')
    await using world = await openActWorld({}, { top })
    expect(world.seen()).toEqual({ ...was.before, a: 'file 644 by me' })
  })

  it('F4: an act finished after a crash is undone like others, without later changes', { timeout }, async () => {
    const top = await lab.killAt('undo', 'linkSync y')
    writeFileSync(join(top, 'one/a'), 'by me')
    await using world = await openActWorld({}, { top })
    const [act] = await acts(world)
    expect(act).toMatchObject({ request: undoOf('a'), left: [] })
    expect(world.keeper.placeOf(world.key).book.lastChange('a')?.author).toEqual({ kind: 'outside' })
    await world.act(undoOfAct(act!))
    expect(world.seen()).toEqual({ ...was.before, a: 'file 644 by me' })
  })
})

/** Makes some of the changes of an act; the undo test above has all kinds. */
function change(world: ActWorld): void {
  world.write('a', 'changed')
  world.write('new/n', 'new')
  rmSync(join(world.root, 'gone'))
}

describe('a restore', () => {
  let lab: CrashLab
  const was: { before: Seen; after: Seen } = { before: {}, after: {} }
  const how = { open: (top: string) => openActWorld({}, { top }), again: (at: ActWorld) => at.act(restoreTo(2)) }

  beforeAll(async () => {
    lab = openCrashLab()
    const world = await openActWorld({ a: '1', gone: 'g', other: 'o' }, { top: lab.first })
    world.write('a', 'mine')
    await world.look()
    was.after = world.seen()
    change(world)
    await world.look(['a'])
    was.before = world.seen()
    await world.keeper.close()
  }, timeout)
  afterAll(() => lab[Symbol.dispose]())

  it('F4: killed at any step it is done completely or not at all', { timeout }, async () => {
    await expectAllOrNothing(lab, 'restore', (killed) => settled(killed, was, how))
  })

  it('F4: killed again at any step of its completion or rollback, it ends the same', {
    timeout,
    tags: ['long'],
  }, async () => {
    for (const { act, step, ends } of [
      { act: 'restore', step: 'renameSync a', ends: 'after' },
      { act: 'restore that is taken back', step: 'renameSync a', ends: 'before' },
    ]) {
      const cut = await lab.killAt(act, step)
      const check = async (killed: Killed) => expect(await settled(killed, was, how)).toBe(ends)
      expect((await lab.killAtEach('open', check, cut)).length).toBeGreaterThan(5)
    }
  })
})

const FIVE = 'one\n\ntwo\n\nthree\n\nfour\n\nfive\n'
const APPLIED = { a: '1', gone: 'g', other: 'o', text: FIVE }

function writeAll(root: string, all: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
}

/** Prepares a Space and a project that began with the same files and both changed, with one text on both sides. */
async function prepareApply(lab: CrashLab, mounted?: string): Promise<Outcome> {
  const { space, project } = await openPair(lab.first, mounted)
  await project.look()
  change(project)
  project.write('text', FIVE.replace('one', 'ONE'))
  await project.look(['b'])
  space.write('text', FIVE.replace('five', 'FIVE of mine'))
  await space.look()
  await space.keeper.close()
  const sample = (await openPair(lab.copied(lab.first), mounted)).space
  const before = sample.seen()
  await sample.act(APPLY, [], fromTwo)
  const after = sample.seen()
  expect(after).toMatchObject({ a: 'file 644 changed', text: expect.stringMatching(/ONE.*FIVE of mine/s) })
  await sample.keeper.close()
  return { before, after }
}

/** @param mounted folder of the project's overlay */
async function expectAppliedOrNot(lab: CrashLab, act: string, was: Outcome, mounted?: string): Promise<void> {
  await expectAllOrNothing(lab, act, async (killed) => {
    const root = mounted ? join(mounted, 'view') : join(killed.top, 'two')
    const project = seenIn(root)
    const became = await settled(killed, was, {
      open: async (top) => (await openPair(top, mounted)).space,
      again: (world) => world.act(APPLY, [], fromTwo),
    })
    expect(seenIn(root)).toEqual(project)
    return became
  })
}

it('F4: an apply of a worktree that is killed at any step is done completely or not at all', {
  timeout,
  tags: ['long'],
}, async () => {
  using lab = openCrashLab()
  for (const name of ['one', 'two']) writeAll(join(lab.first, name), APPLIED)
  const was = await prepareApply(lab)
  await expectAppliedOrNot(lab, 'apply of a worktree', was)
})

const canMount = process.platform === 'linux' && process.getuid?.() === 0
it.skipIf(!canMount)(
  'F4: an apply of an overlay that is killed at any step is done completely or not at all (skipped: mounting needs root)',
  { timeout, tags: ['long'] },
  async () => {
    using lab = openCrashLab()
    writeAll(join(lab.first, 'one'), APPLIED)
    using mounted = mountOverlay(join(lab.top, 'mounted'), APPLIED)
    const was = await prepareApply(lab, mounted.at)
    await expectAppliedOrNot(lab, 'apply of an overlay', was, mounted.at)
  },
)

/** Mounts on a tmpfs, because an overlay cannot lie on another one. */
function mountOverlay(at: string, all: Readonly<Record<string, string>>): Disposable & { readonly at: string } {
  mkdirSync(at)
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', at])
  const folder = (name: string) => join(at, name)
  const [lower, upper, work, view] = [folder('lower'), folder('upper'), folder('work'), folder('view')]
  for (const each of [lower, upper, work, view]) mkdirSync(each)
  writeAll(lower, all)
  const folders = `lowerdir=${lower},upperdir=${upper},workdir=${work}`
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', folders, view])
  return {
    at,
    [Symbol.dispose]() {
      execFileSync('umount', [view])
      execFileSync('umount', [at])
    },
  }
}
