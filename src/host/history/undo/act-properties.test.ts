import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect } from 'vitest'
import { type ActWorld, openActWorld, restoreTo, undoOf, undoOfAct } from '../../../../test/support/act-world.ts'
import { property } from '../../../../test/support/property.ts'
import type { Act, FilePath, PlanRequest } from '../../../model/files/history.ts'

/** Authors: two sessions and a person, who write a few files in turns and undo changes. */
const AUTHORS = ['a', 'b', 'me'] as const
type Name = (typeof AUTHORS)[number]
const PATHS = ['f', 'g', 'd/h', 'd/e/i'] as const
type Path = (typeof PATHS)[number]

type Deed =
  | {
      readonly do: 'insert' | 'change' | 'cut' | 'delete' | 'folder' | 'link'
      readonly by: Name
      readonly path: Path
      readonly at: number
    }
  | { readonly do: 'rename'; readonly by: Name; readonly path: Path; readonly to: Path }
  | { readonly do: 'undo'; readonly of: Name; readonly overwrite: number }
  | { readonly do: 'restore'; readonly back: number; readonly overwrite: number }

const by = fc.constantFrom(...AUTHORS)
const path = fc.constantFrom(...PATHS)
const overwrite = fc.constantFrom(0, 0, 0, 1, 2)
const edit = fc.record({
  do: fc.constantFrom('insert', 'insert', 'insert', 'change', 'change', 'cut', 'delete', 'folder', 'link'),
  by,
  path,
  at: fc.nat(20),
})
const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 8, arbitrary: edit },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rename' as const), by, path, to: path }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('undo' as const), of: by, overwrite }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restore' as const), back: fc.nat(6), overwrite }) },
)

/** Returns the lines of a file. Each line is written once and names its author: `a 17`. */
const linesAt = (seen: Record<FilePath, string>, path: FilePath): string[] =>
  seen[path]?.startsWith('file') ? seen[path].split('\n').flatMap((line) => /(\w+ \d+)$/.exec(line)?.[1] ?? []) : []

class Play {
  readonly world: ActWorld
  /** Authors of each line of a path: its writer, those who moved it there, and acts that restored it. */
  readonly brought = new Map<string, Set<string>>()
  line = 0

  constructor(world: ActWorld) {
    this.world = world
  }

  note(before: Record<FilePath, string>, who: string): void {
    const after = this.world.seen()
    for (const at of Object.keys(after)) {
      const had = new Set(linesAt(before, at))
      for (const line of linesAt(after, at)) if (!had.has(line)) this.whoBrought(at, line).add(who)
    }
  }

  whoBrought(at: FilePath, line: string): Set<string> {
    const key = `${at}\n${line}`
    const known = this.brought.get(key) ?? new Set()
    this.brought.set(key, known)
    return known
  }

  async write(deed: Extract<Deed, { by: Name }>): Promise<void> {
    const before = this.world.seen()
    change(this.world, deed, () => `${deed.by} ${this.line++}\n`)
    await this.world.look(deed.by === 'me' ? [] : [deed.by])
    this.note(before, deed.by)
  }

  /**
   * Applies a plan with some conflicts paths named. Checks which lines must survive, and that the act can be undone.
   */
  async act(request: PlanRequest, named: number, mayGo: (who: ReadonlySet<string>) => boolean): Promise<void> {
    const before = this.world.seen()
    const { entries } = await this.world.plan(request)
    const open = entries.filter(
      ({ conflicts }) => conflicts.length > 0 && conflicts.every(({ kind }) => kind !== 'gap'),
    )
    const overwrite = open.slice(0, named).map(({ path }) => path)
    const act = await this.world.act(request, overwrite).catch((error) => {
      // Some selections are partial: a folder without its content.
      if (error.code === 'conflict' && overwrite.length > 0) return null
      throw error
    })
    if (!act) return expect(this.world.seen()).toEqual(before)
    const after = this.world.seen()
    for (const at of Object.keys(before).filter((one) => !overwrite.includes(one))) {
      const still = new Set(linesAt(after, at))
      for (const line of linesAt(before, at))
        if (!mayGo(this.whoBrought(at, line)))
          expect(still, `${line} of ${at}, by ${JSON.stringify(request)}`).toContain(line)
    }
    this.note(before, act.id)
    await this.undoAndRedo(act, before)
  }

  async undoAndRedo(act: Act, before: Record<FilePath, string>): Promise<void> {
    const after = this.world.seen()
    const undo = await this.world.act(undoOfAct(act))
    expect(this.world.seen(), 'the undo of an act is as before it').toEqual(before)
    this.note(after, undo.id)
    const redo = await this.world.act(undoOfAct(undo))
    expect(this.world.seen(), 'and the undo of that is as after it').toEqual(after)
    this.note(before, redo.id)
  }
}

function change(world: ActWorld, deed: Extract<Deed, { by: Name }>, fresh: () => string): void {
  const at = join(world.root, deed.path)
  const seen = world.seen()
  const lines = linesAt(seen, deed.path).map((line) => `${line}\n`)
  const clear = () => rmSync(at, { recursive: true, force: true })
  if (deed.do === 'rename') {
    if (!seen[deed.path]?.startsWith('file') || deed.to === deed.path) return
    const to = join(world.root, deed.to)
    rmSync(to, { recursive: true, force: true })
    mkdirSync(join(to, '..'), { recursive: true })
    return renameSync(at, to)
  }
  const spot = lines.length === 0 ? 0 : deed.at % lines.length
  if (deed.do === 'delete') return clear()
  if (deed.do === 'cut' && lines.length > 0) lines.splice(spot, 1)
  if (deed.do === 'change' && lines.length > 0) lines[spot] = fresh()
  if (deed.do === 'insert' || lines.length === 0) lines.splice(spot, 0, fresh())
  if (!seen[deed.path]?.startsWith('file') || deed.do === 'folder' || deed.do === 'link') clear()
  mkdirSync(join(at, '..'), { recursive: true })
  if (deed.do === 'folder') return world.write(`${deed.path}/in`, fresh())
  if (deed.do === 'link') return symlinkSync(fresh().trim(), at)
  world.write(deed.path, lines.join(''))
}

/** Number of plays. Use more by hand: each is a real folder, and each scan walks it. */
const PLAYS = 12

property(
  'F2: in any order of writes and undos, no line of another author is lost unless its path was named, and an undo has an undo',
  PLAYS,
  async (numRuns) => {
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { minLength: 4, maxLength: 12 }), async (deeds) => {
        await using world = await openActWorld({})
        const play = new Play(world)
        for (const one of deeds) {
          if ('by' in one) await play.write(one)
          else if (one.do === 'undo') await undo(play, one.of, one.overwrite)
          else await restore(play, one.back, one.overwrite)
        }
      }),
      { numRuns },
    )
  },
  {
    timeout: 180_000,
  },
)

async function undo(play: Play, of: Name, named: number): Promise<void> {
  if (of === 'me') return
  await play.act(undoOf(of), named, (who) => who.has(of))
}

/**
 * Restores a snapshot. Without being named may go: lines of the only session since, or of people without a session, and
 * those of acts.
 */
async function restore(play: Play, back: number, named: number): Promise<void> {
  const { book } = play.world.keeper.placeOf(play.world.key)
  const to = Math.max(1, book.newest - back)
  const since = new Set(
    book.between(to, book.newest).flatMap(({ path }) =>
      book
        .changesOf(path)
        .filter(({ n }) => n > to)
        .map(({ author }) => (author.kind === 'run' ? author.run.slice(4) : author.kind)),
    ),
  )
  const sessions = [...since].filter((one) => one === 'a' || one === 'b')
  const free = sessions.length === 1 ? sessions[0] : sessions.length === 0 ? 'me' : null
  await play.act(restoreTo(to), named, (who) => [...who].some((one) => one === free || one.startsWith('act_')))
}
