import { describe, expect, it } from 'vitest'
import { openActWorld, undoOf } from '../../../../test/support/act-world.ts'
import type { Plan } from '../../../model/files/history.ts'

const ASK = { paths: [], active: [], writers: [], now: 9_000 }

const summary = ({ entries }: Plan) => entries.map(({ path, how }) => `${path} ${how}`)

describe('a selection', () => {
  const twenty = Array.from({ length: 20 }, (_, at) => `line ${at}\n`).join('')
  const two = twenty.replace('line 2\n', 'two\n').replace('line 18\n', 'eighteen\n')

  it('of paths includes these and everything below', async () => {
    await using world = await openActWorld({ a: '1', 'd/b': '1', 'd/e/c': '1', dd: '1' })
    for (const path of ['a', 'd/b', 'd/e/c', 'dd']) world.write(path, '2')
    await world.look(['a'])
    expect(summary(await world.plan({ ...undoOf('a'), paths: ['d', 'a'] }))).toEqual([
      'a write',
      'd/b write',
      'd/e/c write',
    ])
    await world.act({ ...undoOf('a'), paths: ['d/e'] })
    expect([world.read('d/b'), world.read('d/e/c')]).toEqual(['2', '1'])
  })

  it('of hunks includes these of the plan’s diff', async () => {
    await using world = await openActWorld({ a: twenty })
    world.write('a', two)
    await world.look(['a'])
    const ask = { ...ASK, request: { ...undoOf('a'), hunks: [{ path: 'a', indexes: [1] }] } }
    const diff = await world.history.planDiff(world.key, ask, 'a')
    expect(diff.hunks).toHaveLength(2)
    expect(diff.texts).toEqual({ before: two, after: twenty })
    await world.act(ask.request)
    expect(world.read('a')).toBe(two.replace('eighteen\n', 'line 18\n'))
    await expect(world.plan({ ...undoOf('a'), hunks: [{ path: 'a', indexes: [4] }] })).rejects.toMatchObject({
      code: 'bad_input',
    })
    await expect(world.plan({ ...undoOf('a'), hunks: [{ path: 'x', indexes: [0] }] })).rejects.toMatchObject({
      code: 'bad_input',
    })
  })

  it('of no hunk includes nothing', async () => {
    await using world = await openActWorld({ a: twenty })
    world.write('a', two)
    await world.look(['a'])
    expect((await world.plan({ ...undoOf('a'), hunks: [{ path: 'a', indexes: [] }] })).entries).toEqual([])
  })

  it('a path outside of the plan has an empty diff', async () => {
    await using world = await openActWorld({ a: twenty, b: '1' })
    world.write('a', two)
    await world.look(['a'])
    const ask = { ...ASK, request: undoOf('a') }
    expect(await world.history.planDiff(world.key, ask, 'b')).toMatchObject({ content: 'text', hunks: [] })
  })
})
