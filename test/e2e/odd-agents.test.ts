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

describe('an agent that repeats', () => {
  it('L9: the prompt as a message of the user shows it once, also behind a transcript', async () => {
    const world = await openWorld({ agents: [rawAgent('raw', ['echo', 'no-load'])] })
    const session = await world.session({ agent: 'raw' })
    await session.run('first')
    await session.run('case:forget')
    await session.run('next')
    const said = (await session.items()).filter((item) => item.kind === 'message')
    expect(said.map(({ role }) => role)).toEqual(['agent', 'agent'])
    await expectWhole(session)
  })

  it('L9: the past, also after it answered the load, shows nothing twice', async () => {
    const world = await openWorld({ agents: [rawAgent('raw', ['late'])] })
    const session = await world.session({ agent: 'raw' })
    await session.run('first')
    await world.restart()
    const later = session.through(world.carrel)
    await later.run('next')
    expect((await later.eventsOf('context.opened')).at(-1)?.data.how).toBe('resumed')
    expect(textOf(await later.items())).toBe('heard: firstheard: next')
  })
})

describe('an agent that speaks its own JSON-RPC', () => {
  it.each([['text-ids'], ['bom']])('L9: is understood: %s', async (flag) => {
    const world = await openWorld({ agents: [rawAgent('raw', [flag])] })
    const session = await world.session({ agent: 'raw' })
    expect(await session.run('hello')).toMatchObject({ outcome: 'completed' })
    expect(textOf(await session.items())).toBe('heard: hello')
  })

  it.each([['{}'], ['null'], ['{"stopReason": 3}']])(
    'L4: fails a run at once that it answers by %s',
    async (result) => {
      const world = await openWorld({ agents: [rawAgent('raw')] })
      const session = await world.session({ agent: 'raw' })
      const ended = await session.run(`case:answer {"result": ${result}}`)
      expect(ended).toMatchObject({ outcome: 'failed', error: { message: expect.stringContaining('stop reason') } })
      expect(await session.run('next')).toMatchObject({ outcome: 'completed' })
    },
  )

  it('L4: ends a run with a word that nobody knows: completed, with a notice', async () => {
    const world = await openWorld({ agents: [rawAgent('raw')] })
    const session = await world.session({ agent: 'raw' })
    expect(await session.run('case:answer {"result": {"stopReason": "whatever"}}')).toMatchObject({
      outcome: 'completed',
      stopReason: 'whatever',
    })
    expect(await session.item('notice')).toMatchObject({ level: 'warning', text: expect.stringContaining('whatever') })
  })

  it.each(['input', 'output'])('P1: that closes its %s and lives on fails its run in words', async (end) => {
    const world = await openWorld({ agents: [rawAgent('raw')] })
    const session = await world.session({ agent: 'raw' })
    const ended = await session.run(`case:close {"end": "${end}"}`)
    expect(ended).toMatchObject({ outcome: 'failed', error: { message: expect.stringContaining(`closed its ${end}`) } })
    expect(await session.run('next')).toMatchObject({ outcome: 'completed' })
  })

  it('P1: that closes its output before its first word fails its run in words', async () => {
    const world = await openWorld({ agents: [rawAgent('raw', ['deaf'])] })
    const session = await world.session({ agent: 'raw' })
    const ended = await session.run('hello')
    expect(ended).toMatchObject({ outcome: 'failed', error: { message: expect.stringContaining('closed its output') } })
  })
})
