import { describe, expect, it } from 'vitest'
import { expectWhole } from '../contracts/carrel-runs.ts'
import { textOf } from '../support/carrel-session.ts'
import { openWorld, rawAgent } from '../support/carrel-world.ts'

describe('an agent that does not know its session any more', () => {
  it.each([
    ['load it', [], 'resumed', 'heard: next'],
    ['load nothing', ['no-load'], 'primed', 'Agent: heard: first'],
    ['load it, and still does not know it', ['hollow'], 'primed', 'Agent: heard: first'],
  ])('L9: and can %s gets the same prompt in the same run', async (_, flags, how, heard) => {
    const world = await openWorld({ agents: [rawAgent('raw', flags)] })
    const session = await world.session({ agent: 'raw' })
    await session.run('first')
    await session.run('case:forget')
    expect(await session.run('next')).toMatchObject({ outcome: 'completed' })
    expect((await session.eventsOf('context.opened')).at(-1)?.data.how).toBe(how)
    expect(textOf((await session.items()).slice(-1))).toContain(heard)
    expect(await session.run('after')).toMatchObject({ outcome: 'completed' })
    await expectWhole(session)
  })

  it('L9: in the middle of its work fails that run, and gets the next prompt in the loaded conversation', async () => {
    const world = await openWorld({ agents: [rawAgent('raw')] })
    const session = await world.session({ agent: 'raw' })
    expect(await session.run('case:lose')).toMatchObject({ outcome: 'failed' })
    expect(await session.run('next')).toMatchObject({ outcome: 'completed' })
    expect((await session.eventsOf('context.opened')).map(({ data }) => data.how)).toEqual(['new', 'resumed'])
    await expectWhole(session)
  })
})
