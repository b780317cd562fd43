import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ActWorld, openActWorld, restoreTo, undoOf, undoOfAct } from '../../../../test/support/act-world.ts'
import { specOf } from '../../../../test/support/history-world.ts'
import { property } from '../../../../test/support/property.ts'

const FIVE = 'one\n\ntwo\n\nthree\n\nfour\n\nfive\n'
const REQUEST = { kind: 'apply', from: 'prj_two' } as never

interface Pair extends AsyncDisposable {
  readonly space: ActWorld
  readonly place: ActWorld
  /** Applies with every conflicts path left, except the named ones. Resolves to the act. */
  apply(...overwrite: string[]): ReturnType<ActWorld['act']>
  /** Returns the writes of the next apply, with its reasons to ask. */
  next(): Promise<string[]>
}

async function openPair(files: Record<string, string>): Promise<Pair> {
  const space = await openActWorld(files)
  const place = await space.another('two', files)
  const more = { source: { key: place.key, base: await place.look(), writers: [] } }
  return {
    space,
    place,
    apply: (...overwrite) => space.act(REQUEST, overwrite, more),
    async next() {
      const { entries } = await space.plan(REQUEST, more)
      return entries.map(({ path, how, conflicts }) => [path, how, ...conflicts.map(({ kind }) => kind)].join(' '))
    },
    [Symbol.asyncDispose]: () => space[Symbol.asyncDispose](),
  }
}

describe('an apply after an apply', () => {
  it('merges from the last apply: a path that changed again is applied without a question', async () => {
    await using pair = await openPair({ a: FIVE, b: 'b\n' })
    const { space, place } = pair
    space.write('a', FIVE.replace('five', 'FIVE of mine'))
    place.write('a', FIVE.replace('one', 'ONE'))
    place.write('b', 'B\n')
    await pair.apply()
    place.write('a', FIVE.replace('one', 'ONE again'))
    place.write('b', 'B again\n')
    expect(await pair.next()).toEqual(['a merge', 'b write'])
    await pair.apply()
    expect(space.read('a')).toBe(FIVE.replace('one', 'ONE again').replace('five', 'FIVE of mine'))
    expect(space.read('b')).toBe('B again\n')
    expect(await pair.next()).toEqual([])
  })

  it('applies the project’s reverts of applied changes', async () => {
    await using pair = await openPair({ a: 'a\n' })
    pair.place.write('a', 'A\n')
    pair.place.write('new', 'n\n')
    await pair.apply()
    pair.place.write('a', 'a\n')
    pair.place.write('new', 'n2\n')
    expect(await pair.next()).toEqual(['a write', 'new write'])
    await pair.apply()
    expect([pair.space.read('a'), pair.space.read('new')]).toEqual(['a\n', 'n2\n'])
  })

  it('F2: keeps people’s later changes of applied content, and asks where the project changed the same lines', async () => {
    await using pair = await openPair({ a: FIVE })
    const { space, place } = pair
    place.write('a', FIVE.replace('one', 'ONE').replace('two', 'TWO'))
    await pair.apply()
    space.write('a', space.read('a').replace('ONE', 'one, as I want it'))
    await space.look()
    expect(await pair.next()).toEqual([])
    place.write('a', place.read('a').replace('TWO', 'TWO again'))
    expect(await pair.next()).toEqual(['a merge'])
    place.write('a', place.read('a').replace('ONE', 'ONE again'))
    expect(await pair.next()).toEqual(['a write merge_conflict others_work'])
  })

  it('applies again after its undo, also with a write in between', async () => {
    await using pair = await openPair({ a: FIVE, b: 'b\n' })
    const { space, place } = pair
    place.write('a', FIVE.replace('one', 'ONE'))
    place.write('b', 'B\n')
    const first = await pair.apply()
    space.write('a', space.read('a').replace('five', 'FIVE of mine'))
    await space.look()
    await space.act(undoOfAct(first))
    expect(await pair.next()).toEqual(['a merge', 'b write'])
    const again = await pair.apply()
    expect(space.read('a')).toBe(FIVE.replace('one', 'ONE').replace('five', 'FIVE of mine'))
    await space.act(restoreTo(again.before), ['a', 'b'])
    expect(await pair.next()).toEqual(['a merge', 'b write'])
  })

  it('counts also after the undo of later work', async () => {
    await using pair = await openPair({ a: FIVE })
    const { space, place } = pair
    place.write('a', FIVE.replace('one', 'ONE'))
    await pair.apply()
    space.write('a', space.read('a').replace('three', 'THREE by a run'))
    await space.look(['r'])
    await space.act(undoOf('r'))
    place.write('a', FIVE.replace('one', 'ONE again'))
    expect(await pair.next()).toEqual(['a write'])
  })

  it('F2: asks for a file that a person restored', async () => {
    await using pair = await openPair({ a: 'a\n' })
    const { space, place } = pair
    place.write('a', 'A\n')
    await pair.apply()
    space.write('a', 'a\n')
    await space.look()
    expect(await pair.next()).toEqual(['a write others_work'])
  })

  it('offers left paths again, as requested', async () => {
    await using pair = await openPair({ a: 'a\n', b: FIVE })
    const { space, place } = pair
    space.write('a', 'mine\n')
    await space.look()
    place.write('a', 'theirs\n')
    place.write('b', FIVE.replace('one', 'ONE').replace('five', 'FIVE'))
    await pair.apply()
    expect(await pair.next()).toEqual(['a write merge_conflict others_work'])
    await pair.apply('a')
    place.write('a', 'theirs again\n')
    expect(await pair.next()).toEqual(['a write'])
  })

  it('offers hunks that were not chosen again', async () => {
    await using pair = await openPair({ a: FIVE })
    const { space, place } = pair
    place.write('a', FIVE.replace('one', 'ONE').replace('five', 'FIVE'))
    const source = { key: place.key, base: 1, writers: [] }
    const chosen = { kind: 'apply', from: 'prj_two', hunks: [{ path: 'a', indexes: [0] }] } as never
    await space.act(chosen, [], { source })
    expect(space.read('a')).toBe(FIVE.replace('one', 'ONE'))
    expect(await pair.next()).toEqual(['a merge'])
    await pair.apply()
    expect(space.read('a')).toBe(FIVE.replace('one', 'ONE').replace('five', 'FIVE'))
  })
})

it('F7: the start of a place and its last applied state are kept for the next apply', async () => {
  await using space = await openActWorld({ a: 'a\n', b: 'b\n' })
  const place = await space.another('two', { a: 'a\n', b: 'b\n' })
  const spec = specOf('two', place.root)
  const key = 'project:prj_two'
  await space.history.open({ ...spec, key, labels: { ...spec.labels, project: 'prj_two' as never } })
  await space.history.ready(key)
  const more = { source: { key, base: 1, writers: [] } }
  const applied: (number | null)[] = []
  for (const text of ['1\n', '2\n', '3\n']) {
    place.write('a', text)
    if (text === '1\n') place.write('b', text)
    applied.push((await space.act(REQUEST, [], more)).applied)
  }
  const kept = (await space.history.pointedAt()).filter((one) => one.key === key)
  // The third apply wrote again everything that the second wrote.
  expect(kept.map(({ n, session }) => [n, session])).toEqual([1, applied[0], applied[2]].map((n) => [n, null]))
})

/** Turn in which only one side writes a line: both sides may go on and apply any number of times. */
const turn = fc.record({
  who: fc.constantFrom('space', 'place', 'place', 'apply', 'apply', 'undo'),
  line: fc.nat(1),
})

property(
  'F2: when each side changes only its own lines, no apply asks, and the folder then has the newest of both',
  20,
  async (numRuns) => {
    const lines = { space: ['one', 'three'], place: ['two', 'four'] }
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { minLength: 5, maxLength: 12 }), async (turns) => {
        const text = (lines: Record<string, string>) =>
          ['one', 'two', 'three', 'four'].map((name) => `${name}${lines[name] ?? ''}\n`).join('--\n')
        await using pair = await openPair({ a: text({}) })
        const mine: Record<string, string> = {}
        const theirs: Record<string, string> = {}
        let applied: Record<string, string> = {}
        let last: Awaited<ReturnType<Pair['apply']>> | null = null
        let undone: Record<string, string> = {}
        for (const [at, { who, line }] of turns.entries()) {
          if (who === 'space') mine[lines.space[line]!] = ` ${at}`
          if (who === 'place') theirs[lines.place[line]!] = ` ${at}`
          if (who === 'space') pair.space.write('a', text({ ...applied, ...mine }))
          if (who === 'place') pair.place.write('a', text(theirs))
          if (who === 'apply') {
            expect((await pair.next()).filter((entry) => / .* /.test(entry))).toEqual([])
            ;[last, undone, applied] = [await pair.apply(), applied, { ...theirs }]
          }
          if (who === 'undo' && last) {
            await pair.space.act(undoOfAct(last))
            ;[last, applied] = [null, undone]
          }
          expect(pair.space.read('a')).toBe(text({ ...applied, ...mine }))
        }
      }),
      { numRuns },
    )
  },
  {
    timeout: 120_000,
  },
)
