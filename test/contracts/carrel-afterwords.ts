import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { EventOf } from '../../src/model/events/events.ts'
import { appears, eventually, type TestSession } from '../support/carrel-session.ts'
import { scriptedAgent } from '../support/carrel-world.ts'
import type { Case, OpenCarrel } from './carrel.ts'
import { expectWhole } from './carrel-runs.ts'

const messagesOf = async (session: TestSession) =>
  (await session.items()).flatMap((item) =>
    item.kind === 'message' ? [{ text: item.text, run: item.run, afterword: item.afterword ?? false }] : [],
  )

/** Waits for an update of an agent, told by a part of its JSON. */
const heard = (session: TestSession, part: string) =>
  session.until('agent.update', ({ data }) => JSON.stringify(data.update).includes(part))

const byPath = (one: { path: string }, other: { path: string }) => (one.path < other.path ? -1 : 1)

/** A session at rest can be rebuilt. */
const rested = ({ carrel, workspace, id }: TestSession) =>
  eventually('the session rests', async () =>
    carrel.call('sessions.rebuild', { workspace, id }).then(
      () => true,
      () => false,
    ),
  )

export function describeAfterwords(open: OpenCarrel, near: Case): void {
  describe('an afterword', () => {
    it('L11: text after a run is in the log at once, under that run, and never in the answer of the next', async () => {
      const world = await open()
      const session = await world.session()
      const later = [
        { gate: session.path('gate') },
        { say: 'late ', chunks: 2 },
        { say: 'words' },
        { plan: ['next'] },
        { usage: { used: 9, size: 10 } },
      ]
      const first = await session.prompt([{ later }, { say: 'first.' }])
      const { run } = (await session.endOf(first.prompt)).data
      session.open('gate')
      expect(await heard(session, 'words')).toMatchObject({ run, data: { afterword: true } })
      expect(await heard(session, 'usage_update')).toMatchObject({ run, data: { afterword: true } })
      const next = await session.prompt([{ say: 'second.' }], { wait: 'ended' })
      expect(next).toMatchObject({ text: 'second.' })
      expect(await messagesOf(session)).toEqual([
        { text: 'first.', run, afterword: false },
        { text: 'late words', run, afterword: true },
        { text: 'second.', run: next.run, afterword: false },
      ])
      expect(await session.item('plan')).toMatchObject({ run, afterword: true })
      const { workspace } = session
      await rested(session)
      const hits = await world.carrel.call('search.items', { workspace, text: 'late words', session: session.id })
      expect(hits.hits.map(({ kind }) => kind)).toContain('message')
      await expectWhole(session)
    })

    it('L11: a session rests after an afterword, and the next prompt finds it', async () => {
      const world = await open()
      const session = await world.session()
      await session.run([{ later: [{ gate: session.path('gate') }, { say: 'late' }] }, { say: 'first' }])
      await rested(session)
      session.open('gate')
      await heard(session, 'late')
      await rested(session)
      expect(await session.row()).toMatchObject({ state: 'idle' })
      await session.run([{ say: 'second' }])
      await expectWhole(session)
    })

    it('L11: a permission asked after a run is an interaction, and its answer goes back to the agent', async () => {
      const world = await open()
      const session = await world.session()
      const later = [
        { gate: session.path('gate') },
        { run: 'echo done > effect', ask: true },
        { say: 'asked and done' },
      ]
      await session.run([{ later }, { say: 'first' }])
      session.open('gate')
      const { data } = await session.until('interaction.opened')
      expect(data).toMatchObject({ afterword: true, question: { command: 'echo done > effect' } })
      expect(await session.row()).toMatchObject({ state: 'waiting', questions: 1 })
      // A prompt meanwhile runs beside the question, and its end leaves it open.
      const meanwhile = await session.run([{ say: 'second' }])
      expect(meanwhile.outcome).toBe('completed')
      expect((await session.view()).open).toHaveProperty(data.interaction)
      await session.answer(data.interaction, 'allow-once')
      await heard(session, 'asked and done')
      expect(readFileSync(session.path('effect'), 'utf8')).toBe('done\n')
      expect(await session.item('question')).toMatchObject({ state: 'answered', used: true, afterword: true })
      expect(await session.row()).toMatchObject({ state: 'idle', questions: 0 })
      await rested(session)
      await expectWhole(session)
    })

    near('L11: a question after a run that expires reaches the agent with its default', async () => {
      const world = await open({ questionTtlMs: 1_000 }, { alone: true })
      const session = await world.session()
      const later = [{ gate: session.path('gate') }, { run: 'touch effect', ask: true }, { say: 'went on' }]
      await session.run([{ later }, { say: 'first' }])
      session.open('gate')
      await session.until('interaction.expired')
      await heard(session, 'went on')
      await rested(session)
      expect(existsSync(session.path('effect'))).toBe(false)
      await expectWhole(session)
    })

    near(
      'L11: a session says which work goes on after its run; its agent is not ended as idle until that is over',
      async () => {
        const world = await open({ idleAgentMs: 200 }, { alone: true })
        const session = await world.session()
        await session.run([{ run: '(until [ -e stop ]; do sleep 0.05; done) > out 2>&1 &' }, { say: 'started' }])
        const { work } = (await session.until('background.changed')).data
        expect(work).toEqual(['(until [ -e stop ]; do sleep 0.05; done) > out 2>&1 &'])
        expect(await session.row()).toMatchObject({ state: 'idle', background: work })
        expect((await session.view()).agents.scripted?.background).toEqual(work)
        // Far longer than an idle agent lives; a neighbour with nothing to do is ended meanwhile.
        const neighbour = await world.session()
        await neighbour.run([{ say: 'short' }])
        await eventually(
          'the neighbour is ended',
          async () => (await world.carrel.call('server.status', {})).agentProcesses === 1,
        )
        expect((await session.run([{ say: 'still there' }])).outcome).toBe('completed')
        expect((await session.eventsOf('background.changed')).map(({ data }) => data.work)).toEqual([work])
        session.open('stop')
        const over = await session.until('background.changed', ({ data }) => data.work.length === 0)
        expect(over.data.cut).toBeNull()
        await eventually(
          'the agent is ended',
          async () => (await world.carrel.call('server.status', {})).agentProcesses === 0,
        )
        expect((await session.eventsOf('context.opened')).map(({ data }) => data.how)).toEqual(['new'])
        await expectWhole(session)
      },
    )

    it('L11, F2: files that background work changes are the run\u2019s, and its undo offers them', async () => {
      const world = await open({}, { alone: true })
      const session = await world.session()
      const wait = (gate: string) => `until [ -e ${gate} ]; do sleep 0.05; done`
      const { run } = await session.run([
        { run: `(${wait('go')}; echo late > late.txt) > out 2>&1 &` },
        { say: 'started' },
      ])
      await session.until('background.changed')
      session.open('go')
      const named = ({ data }: EventOf<'snapshot.taken'>) => data.files.some(({ path }) => path === 'late.txt')
      expect(await session.until('snapshot.taken', named)).toMatchObject({ run, data: { afterword: true } })
      const { workspace, project } = session
      const request = { kind: 'undo', of: { kind: 'run', run } } as const
      const plan = await world.carrel.call('plans.make', { workspace, project, request })
      expect(plan.entries.map(({ path }) => path)).toContain('late.txt')
      await rested(session)
      await expectWhole(session)
    })

    it('L11, F2: a file that an agent writes through Carrel after its run is the run\u2019s, and undo takes it back', async () => {
      const world = await open({}, { alone: true })
      const session = await world.session()
      const params = { path: session.path('late.txt'), content: 'late' }
      const later = [{ gate: session.path('gate') }, { request: { method: 'fs/write_text_file', params } }]
      const { run } = await session.run([{ later }, { say: 'first' }])
      await rested(session)
      session.open('gate')
      const named = ({ data }: EventOf<'snapshot.taken'>) => data.files.some(({ path }) => path === 'late.txt')
      expect(await session.until('snapshot.taken', named)).toMatchObject({ run, data: { afterword: true } })
      const { carrel, workspace, project } = session
      const { changes } = await carrel.call('history.changes', { workspace, project, run })
      expect(changes).toMatchObject([{ path: 'late.txt', author: { kind: 'run', run }, certainty: 'reported' }])
      const request = { kind: 'undo', of: { kind: 'run', run } } as const
      await rested(session)
      const plan = await carrel.call('plans.make', { workspace, project, request })
      expect(plan.entries).toMatchObject([{ path: 'late.txt', conflicts: [] }])
      await carrel.call('plans.apply', { workspace, project, request, digest: plan.digest })
      expect(existsSync(session.path('late.txt'))).toBe(false)
      await expectWhole(session)
    })

    it('L11, F2: what Carrel writes for an agent around the end of its run is that run\u2019s, whoever works next', async () => {
      const world = await open({ agents: [scriptedAgent('second')] }, { alone: true })
      const session = await world.session()
      const write = (name: string) => ({
        request: { method: 'fs/write_text_file', params: { path: session.path(name), content: name } },
      })
      const around = Array.from({ length: 40 }, (_, at) => write(`around-${at}`))
      const later = [...around, { gate: session.path('go') }, write('beside')]
      const { run } = await session.run([{ later }, { say: 'first' }])
      await appears(session.path('around-39'))
      const steps = [{ run: 'echo own > own' }, { gate: session.path('end') }]
      const next = await session.prompt(steps, { agent: 'second' })
      const names = (name: string) => (event: EventOf<'snapshot.taken'>) =>
        event.data.files.some(({ path }) => path === name)
      const own = await session.until('snapshot.taken', names('own'))
      session.open('go')
      expect(await session.until('snapshot.taken', names('beside'))).toMatchObject({ run })
      session.open('end')
      await session.endOf(next.prompt)
      const { carrel, workspace, project } = session
      const { changes } = await carrel.call('history.changes', { workspace, project, run })
      const authors = changes.map(({ path, author }) => ({
        path,
        run: author.kind === 'run' ? author.run : author.kind,
      }))
      const expected = [...around.map((_, at) => `around-${at}`), 'beside'].map((path) => ({ path, run }))
      expect(authors.toSorted(byPath)).toEqual(expected.toSorted(byPath))
      const others = await carrel.call('history.changes', { workspace, project, run: own.run ?? '' })
      // The gates of this test are also changes of that time.
      expect(others.changes.find(({ path }) => path === 'own')).toMatchObject({ certainty: 'sole' })
      expect((await session.eventsOf('notice.given')).map(({ data }) => data.text).join()).not.toContain('.tmp')
      await rested(session)
      await expectWhole(session)
    })

    near('L11: the end of a session says which background work it cut', async () => {
      const world = await open({}, { alone: true })
      const session = await world.session()
      await session.run([{ run: 'sleep 100 > out 2>&1 &' }, { say: 'started' }])
      await session.until('background.changed')
      await world.carrel.call('sessions.close', { workspace: session.workspace, id: session.id })
      await session.until('session.closed')
      const [, { data: cut } = { data: null }] = await session.eventsOf('background.changed')
      expect(cut).toMatchObject({
        work: [],
        cut: 'The session was ended. Cut off in the background: sleep 100 > out 2>&1 &.',
      })
      expect((await session.item('notice')).text).toBe(cut?.cut)
      await expectWhole(session)
    })

    near('L11: a run that is parked says which work that cut', async () => {
      const world = await open({ parkAfterMs: 50 }, { alone: true })
      const session = await world.session()
      const call = { sessionUpdate: 'tool_call', toolCallId: 'bg', title: 'npm run watch', status: 'in_progress' }
      await session.prompt([{ update: call }, { run: 'touch asked', ask: true }])
      await session.until('run.parked')
      expect((await session.item('notice')).text).toBe(
        'The run is parked, which ends its agent. Cut off: npm run watch.',
      )
      await expectWhole(session)
    })

    near('L11: messages that wait for a new prompt are told apart by the order of their frames', async () => {
      const world = await open()
      const session = await world.session()
      const many = { repeat: 300, say: 'late ', everyMs: 1 }
      await session.run([{ later: [{ gate: session.path('gate') }, many] }, { say: 'first' }])
      session.open('gate')
      await heard(session, 'late')
      const { run, text } = await session.prompt([{ say: 'second' }], { wait: 'ended' })
      const log = await session.log()
      const frames = log.flatMap((event) =>
        event.type === 'agent.update' && event.data.frame ? [{ frame: event.data.frame, of: event.run }] : [],
      )
      // In the log as the agent sent them: first the afterwords, then everything of the run.
      expect(frames.map(({ frame }) => frame)).toEqual(frames.map(({ frame }) => frame).toSorted((a, b) => a - b))
      const firstOwn = frames.findIndex(({ of }) => of === run)
      expect(frames.slice(0, firstOwn).every(({ of }) => of !== run)).toBe(true)
      const second = log.findIndex((event) => event.type === 'run.started' && event.run === run)
      expect(second).toBeGreaterThan(0)
      expect(text).toContain('second')
      await rested(session)
      await expectWhole(session)
    })
  })
}
