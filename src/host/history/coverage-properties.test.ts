import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { expect } from 'vitest'
import { type ActWorld, openActWorld, restoreTo, undoOf, undoOfAct } from '../../../test/support/act-world.ts'
import { specOf, writer } from '../../../test/support/history-world.ts'
import { property } from '../../../test/support/property.ts'
import type { FilePath, Plan, PlanRequest } from '../../model/files/history.ts'

/** Files of people and runs, in folders that ignore lines and rules exclude and let in again. */
const PATHS = ['f', 'd/g', 'd/e/h', 'b/i', 'b/c/j'] as const
const LINES = ['f', 'd/', 'e/', '*.x', 'g', 'b', 'b/c/', '!g', 'j'] as const
const AUTHORS = ['a', 'b', null] as const
const LIMIT = 40

type Deed =
  | { readonly do: 'write' | 'large' | 'delete' | 'pipe' | 'link' | 'folder'; readonly path: number }
  | { readonly do: 'move'; readonly path: number; readonly to: number }
  | { readonly do: 'ignore'; readonly at: number; readonly lines: readonly number[] }
  | { readonly do: 'rules'; readonly lines: readonly number[] }
interface Turn {
  readonly by: number
  readonly deeds: readonly Deed[]
}
type Step = Turn | { readonly undo: number } | { readonly restore: number }

const path = fc.nat(PATHS.length - 1)
const lines = fc.array(fc.nat(LINES.length - 1), { maxLength: 2 })
const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('write' as const), path }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('large', 'delete', 'pipe', 'link', 'folder').map((one) => one), path }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('move' as const), path, to: path }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('ignore' as const), at: fc.nat(2), lines }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('rules' as const), lines }) },
) as fc.Arbitrary<Deed>
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ by: fc.nat(2), deeds: fc.array(deed, { minLength: 1, maxLength: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ undo: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.record({ restore: fc.nat(5) }) },
)

const asked = ({ entries }: Plan) => entries.filter(({ conflicts }) => conflicts.length > 0).map((entry) => entry.path)

/** Paths that an act leaves where a rule excludes them come back with an act after the one that lets them in. */
const without = (paths: readonly FilePath[], seen: Record<FilePath, string>) =>
  Object.fromEntries(
    Object.entries(seen).filter(([at]) => !paths.some((one) => at === one || at.startsWith(`${one}/`))),
  )

class Play {
  readonly world: ActWorld
  readonly snapshots = new Map<number, Record<FilePath, string>>()
  count = 0
  rules: readonly string[] = []

  constructor(world: ActWorld) {
    this.world = world
  }

  async take(deed: Deed): Promise<void> {
    const { world } = this
    const at = (index: number) => join(world.root, PATHS[index] ?? '')
    const clear = (spot: string) => {
      for (let above = dirname(spot); above.length > world.root.length; above = dirname(above))
        if (existsSync(above) && !lstatSync(above).isDirectory()) rmSync(above)
      rmSync(spot, { recursive: true, force: true })
      mkdirSync(dirname(spot), { recursive: true })
    }
    if (deed.do === 'rules') {
      this.rules = deed.lines.map((line) => LINES[line] ?? '')
      await world.history.open(specOf('one', world.root, { maxFileBytes: LIMIT, ignore: [...this.rules] }))
      return
    }
    if (deed.do === 'ignore') {
      const folder = ['', 'd', 'b'][deed.at] ?? ''
      const spot = join(world.root, folder, '.gitignore')
      clear(spot)
      if (deed.lines.length > 0) writeFileSync(spot, deed.lines.map((line) => `${LINES[line]}\n`).join(''))
      return
    }
    const spot = at(deed.path)
    if (deed.do === 'move') {
      if (deed.to === deed.path || !lstatSync(spot, { throwIfNoEntry: false })) return
      const to = at(deed.to)
      if (to.startsWith(`${spot}/`) || spot.startsWith(`${to}/`)) return
      clear(to)
      return renameSync(spot, to)
    }
    clear(spot)
    if (deed.do === 'write') writeFileSync(spot, `text ${this.count++}\n`)
    if (deed.do === 'large') writeFileSync(spot, `large ${this.count++}`.padEnd(LIMIT + 10, '.'))
    if (deed.do === 'pipe') execFileSync('mkfifo', [spot])
    if (deed.do === 'link') symlinkSync(`nowhere ${this.count++}`, spot)
    if (deed.do === 'folder') this.world.write(`${PATHS[deed.path]}/in`, `text ${this.count++}\n`)
  }

  /** Reads a snapshot through the history. */
  async read(n: number): Promise<Record<FilePath, string>> {
    const { history, keeper, key } = this.world
    const found: Record<FilePath, string> = {}
    for (const { path, after } of keeper.placeOf(key).book.betweenWithCoverage(0, n)) {
      if (!after || after.uncovered) continue
      const bytes = after.kind === 'folder' ? '' : Buffer.from(await history.content(key, path, n, 1_000)).toString()
      const mode = after.mode.toString(8)
      found[path] =
        after.kind === 'folder' ? `folder ${mode}` : after.kind === 'link' ? `link ${bytes}` : `file ${mode} ${bytes}`
    }
    return found
  }

  async look(by: string | null): Promise<void> {
    const { world } = this
    const n = await world.look([], { writers: by ? [writer(by)] : [] })
    await this.checkPast(n)
  }

  /** No snapshot changes later, and the newest has the content of the disk. */
  async checkPast(n: number): Promise<void> {
    for (const [before, known] of this.snapshots) expect(await this.read(before), `snapshot ${before}`).toEqual(known)
    const now = await this.read(n)
    const disk = this.world.seen()
    for (const [at, state] of Object.entries(now)) expect([at, disk[at]]).toEqual([at, state])
    this.snapshots.set(n, now)
  }

  async act(request: PlanRequest): Promise<void> {
    const { world } = this
    const before = world.seen()
    const plan = await world.plan(request)
    const act = await world.act(request)
    const after = world.seen()
    await this.checkPast(world.keeper.placeOf(world.key).book.newest)
    if (request.kind === 'restore')
      this.checkRestored(request.to, [...plan.gaps.map((gap) => gap.path), ...asked(plan), ...act.left], after)
    for (const at of Object.keys(before))
      if (before[at] !== after[at] && !act.written.includes(at)) expect([at, after[at]]).toEqual([at, before[at]])
    const undone = await world.act(undoOfAct(act))
    expect(without(undone.left, world.seen()), 'the undo of an act is as before it').toEqual(
      without(undone.left, before),
    )
    const again = await world.act(undoOfAct(undone))
    const left = [...undone.left, ...again.left]
    expect(without(left, world.seen()), 'and the undo of that is as after it').toEqual(without(left, after))
    await this.checkPast(world.keeper.placeOf(world.key).book.newest)
  }

  /** Each path of the snapshot is back, or was named; a path that it did not have is gone, or named. */
  checkRestored(to: number, named: readonly FilePath[], after: Record<FilePath, string>): void {
    const isNamed = (at: FilePath) =>
      named.some((one) => at === one || at.startsWith(`${one}/`) || one.startsWith(`${at}/`))
    for (const [at, state] of Object.entries(this.snapshots.get(to) ?? {}))
      if (!isNamed(at)) expect([at, after[at]]).toEqual([at, state])
    const known = this.snapshots.get(to)
    for (const at of Object.keys(after))
      if (known && !isNamed(at) && after[at]?.startsWith('file')) expect([at, known[at]]).toEqual([at, after[at]])
  }
}

property(
  'F9: in any order of writes, moves, rules and undos no snapshot changes later, and a restore brings back or names each path',
  20,
  async (numRuns) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 10 }), async (steps) => {
        await using world = await openActWorld({ f: 'first\n', 'd/g': 'first\n', 'b/c/j': 'first\n' })
        const play = new Play(world)
        await play.take({ do: 'rules', lines: [] })
        await play.look(null)
        for (const one of steps) {
          if ('deeds' in one) {
            for (const each of one.deeds) await play.take(each)
            await play.look(AUTHORS[one.by] ?? null)
          } else if ('undo' in one) await play.act(undoOf(AUTHORS[one.undo] ?? 'a'))
          else {
            const { book } = world.keeper.placeOf(world.key)
            await play.act(restoreTo(Math.max(1, book.newest - one.restore)))
          }
        }
      }),
      { numRuns },
    )
  },
)
