import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { expectWhole } from '../contracts/carrel-runs.ts'
import { eventually, textOf } from '../support/carrel-session.ts'
import { makeTestFolder, openWorld, scriptedAgent } from '../support/carrel-world.ts'

describe('the memory that agents have of a session', () => {
  it('L9: two agents in one session are two contexts, each with its own memory', async () => {
    const world = await openWorld({ agents: [scriptedAgent('other')] })
    const session = await world.session()
    await session.run([{ say: 'one' }])
    await session.run([{ say: 'two' }], { agent: 'other' })
    await session.run([{ say: 'three' }], { agent: 'scripted' })
    const opened = await session.eventsOf('context.opened')
    expect(opened.map((event) => [event.data.agent, event.data.how])).toEqual([
      ['scripted', 'new'],
      ['other', 'primed'],
    ])
    expect(new Set(opened.map((event) => event.data.acpSession)).size).toBe(2)
    expect((await session.row()).agent).toBe('scripted')
    expect(textOf(await session.items())).toBe('onetwothree')
    await expectWhole(session)
    // The returning agent remembers its own turn, and gets the other's turn once.
    const memory = readFileSync(`${world.root}/memory/${opened[0]?.data.acpSession}.json`, 'utf8')
    const told = JSON.parse(memory).transcript.filter(
      ({ sessionUpdate }: { sessionUpdate: string }) => sessionUpdate === 'user_message_chunk',
    )
    expect(JSON.stringify(told).split('Agent: two')).toHaveLength(2)
    expect(JSON.stringify(told)).not.toContain('Agent: one')
  })

  it('L9: an agent that cannot load is given the transcript; what it loads is not stored twice', async () => {
    const forgetful = scriptedAgent('forgetful', { env: { SCRIPTED_NO_LOAD: '1' } })
    const loading = scriptedAgent('loading', { env: { SCRIPTED_QUIRKS: 'no_resume' } })
    const world = await openWorld({ agents: [forgetful, loading] })
    for (const [agent, how] of [
      ['forgetful', 'primed'],
      ['loading', 'resumed'],
      ['scripted', 'resumed'],
    ] as const) {
      const session = await world.session({ agent })
      await session.run([{ say: 'I said this once' }, { plan: ['once'] }])
      const before = await session.items()
      await world.restart()
      const later = session.through(world.carrel)
      expect((await later.run([{ say: ', and this' }])).outcome).toBe('completed')
      expect((await later.eventsOf('context.opened')).map((event) => event.data.how)).toEqual(['new', how])
      const items = await later.items()
      expect(items.slice(0, before.length)).toEqual(before)
      expect(textOf(items)).toBe('I said this once, and this')
      expect(items.filter((item) => item.kind === 'plan')).toHaveLength(1)
      await expectWhole(later)
    }
  })

  it('L9: an agent that lost its memory says so in the log, and goes on with the transcript', {
    tags: ['long'],
  }, async () => {
    const world = await openWorld()
    const session = await world.session()
    await session.run([{ say: 'kept' }])
    await world.restart()
    rmSync(`${world.root}/memory`, { recursive: true })
    const later = session.through(world.carrel)
    expect((await later.run([{ say: ' on' }])).outcome).toBe('completed')
    expect(await later.eventsOf('context.lost')).toHaveLength(1)
    expect((await later.eventsOf('context.opened')).map((event) => event.data.how)).toEqual(['new', 'primed'])
    await expectWhole(later)
  })

  it('L9: another configuration of the agent starts it anew and loads its memory', async () => {
    const world = await openWorld({ agents: [scriptedAgent('mine', { env: { NODE_NO_WARNINGS: '1' } })] })
    const session = await world.session({ agent: 'mine' })
    await session.run([{ run: 'echo "<$EXTRA>" >> heard' }])
    await world.restart({ agents: [scriptedAgent('mine', { env: { EXTRA: 'spice' } })] })
    const later = session.through(world.carrel)
    await later.run([{ run: 'echo "<$EXTRA>" >> heard' }])
    expect(readFileSync(session.path('heard'), 'utf8')).toBe('<>\n<spice>\n')
    const opened = await later.eventsOf('context.opened')
    expect(opened.map((event) => event.data.how)).toEqual(['new', 'resumed'])
    expect(new Set(opened.map((event) => event.data.fingerprint)).size).toBe(2)
  })

  it('L9: mode and options that a person chose hold for later prompts and for later processes', {
    tags: ['long'],
  }, async () => {
    const world = await openWorld()
    const session = await world.session()
    const at = { workspace: 'default', id: session.id }
    await world.carrel.call('sessions.configure', { ...at, mode: 'auto', options: { model: 'thorough' } })
    expect((await session.run([{ write: 'a.txt', content: 'a' }])).outcome).toBe('completed')
    expect(await session.eventsOf('interaction.opened')).toEqual([])
    await world.restart()
    const later = session.through(world.carrel)
    expect((await later.run([{ write: 'b.txt', content: 'b' }])).outcome).toBe('completed')
    expect(await later.eventsOf('interaction.opened')).toEqual([])
    const { agents } = await later.view()
    expect(agents.scripted).toMatchObject({ mode: 'auto', pending: null })
    expect(JSON.stringify(agents.scripted?.options)).toContain('"currentValue":"thorough"')
    // A setting that the agent does not take is said, and the run goes on.
    await world.carrel.call('sessions.configure', { ...at, options: { colour: 'red' } })
    expect((await later.run([{ say: 'on' }])).outcome).toBe('completed')
    expect((await later.eventsOf('config.applied')).at(-1)?.data.error).toContain('refused the setting')
    await expectWhole(later)
  })
})

describe('processes', () => {
  it('P4: an agent that may serves many sessions in one process, and one that may not has one each', async () => {
    const shared = scriptedAgent('shared', { runsPerProcess: 8 })
    const world = await openWorld({ agents: [shared] })
    const processes = async () => (await world.carrel.call('server.status', {})).agentProcesses
    const first = await world.session({ agent: 'shared' })
    const sessions = [first]
    for (let each = 1; each < 6; each += 1) sessions.push(await world.session({ agent: 'shared', beside: first }))
    const prompts = await Promise.all(
      sessions.map((session, at) => session.prompt([{ say: `begun ${at}` }, { gate: 'go' }, { say: ` ended ${at}` }])),
    )
    for (const session of sessions) await session.until('run.started')
    expect(await processes()).toBe(1)
    // A cancel of one leaves its neighbours alone.
    const [hit, ...rest] = sessions
    await world.carrel.call('sessions.cancel', { workspace: 'default', id: hit?.id ?? '' })
    expect((await hit?.until('run.ended'))?.data.outcome).toBe('cancelled')
    first.open('go')
    for (const [at, session] of rest.entries()) {
      expect((await session.endOf(prompts[at + 1]?.prompt ?? '')).data.outcome).toBe('completed')
      expect(textOf(await session.items())).toBe(`begun ${at + 1} ended ${at + 1}`)
    }
    expect(await processes()).toBe(1)
    const lonely = [await world.session(), await world.session()]
    for (const session of lonely) await session.run([{ say: 'x' }])
    expect(await processes()).toBeGreaterThan(1)
  })

  it('P4: starts beyond the limit wait, and the queue is visible', async () => {
    // An agent that does not answer until it is let: the start it holds is the one place there is.
    const world = await openWorld({
      spawnsAtOnce: 1,
      agents: [
        { id: 'slow', name: 'Slow', command: '/bin/sh', args: ['-c', 'until [ -e "$HOME/go" ]; do sleep 0.05; done'] },
      ],
    })
    const sessions = await Promise.all([1, 2, 3].map(() => world.session({ agent: 'slow' })))
    const prompts = await Promise.all(sessions.map((session) => session.prompt('hello')))
    const waiting = async () => (await world.carrel.call('server.status', {})).waitingSpawns
    await eventually('two starts wait', async () => (await waiting()) === 2)
    // A run that waits for its start can be cancelled.
    const last = sessions[2]
    const admitted = await Promise.all(sessions.map((session) => session.until('run.admitted')))
    expect(admitted).toHaveLength(3)
    await world.carrel.call('sessions.cancel', { workspace: 'default', id: last?.id ?? '' })
    expect((await last?.until('run.ended'))?.data.outcome).toBe('cancelled')
    writeFileSync(`${world.home}/go`, '')
    for (const [at, session] of sessions.slice(0, 2).entries()) {
      expect((await session.endOf(prompts[at]?.prompt ?? '')).data.outcome).toMatch(/failed|cancelled/)
    }
    await eventually('nobody waits', async () => (await waiting()) === 0)
  })

  it('P3: runs at once see the variables that are named for their agent, and no others', async () => {
    const ids = Array.from({ length: 6 }, (_, at) => at)
    const world = await openWorld(
      { agents: ids.map((id) => scriptedAgent(`a${id}`, { passEnv: ['CARREL_SCRIPTED_HOME', `CANARY_${id}`] })) },
      undefined,
      makeTestFolder(
        Object.fromEntries([...ids.map((id) => [`CANARY_${id}`, `bird-${id}`]), ['SECRET_TOKEN', 'nobody-may-see']]),
      ),
    )
    const sessions = await Promise.all(ids.map((id) => world.session({ agent: `a${id}` })))
    const runs = await Promise.all(sessions.map((session) => session.run([{ run: 'env > seen' }])))
    expect(runs.map((run) => run.outcome)).toEqual(ids.map(() => 'completed'))
    for (const [id, session] of sessions.entries()) {
      const seen = readFileSync(session.path('seen'), 'utf8')
      expect(seen.match(/CANARY_\d=.*/g)).toEqual([`CANARY_${id}=bird-${id}`])
      expect(seen).not.toContain('nobody-may-see')
      expect(JSON.stringify(await session.log())).not.toContain('nobody-may-see')
    }
  })

  it('P1: an idle process is let go after its time, and a stop leaves none', async () => {
    const world = await openWorld({ idleAgentMs: 50 })
    const session = await world.session()
    await session.run([{ say: 'x' }])
    await eventually('the idle process is gone', () => world.processes().length === 0)
    const again = await session.run([{ say: 'y' }])
    expect(again.outcome).toBe('completed')
    expect((await session.eventsOf('context.opened')).map((event) => event.data.how)).toEqual(['new', 'resumed'])
    await world.engine.close()
    expect(world.processes()).toEqual([])
  })
})
