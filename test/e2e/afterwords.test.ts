import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { EventOf } from '../../src/model/events/events.ts'
import { expectWhole } from '../contracts/carrel-runs.ts'
import { killAgents, running, type Server, startServer } from '../support/carrel-server.ts'
import { appears, eventually, type TestSession } from '../support/carrel-session.ts'
import { makeTestFolder, type TestFolder } from '../support/carrel-world.ts'

const OUTLIVE = { outliveMs: 120_000, flushMs: 5 }

async function clean(testFolder: TestFolder, server: Server): Promise<void> {
  await server.kill()
  killAgents(testFolder)
  await eventually('nothing is left', () => running(testFolder).length === 0)
}

/** The text of the afterwords in the log of a session. */
const afterwords = (events: readonly EventOf<'agent.update'>[]) =>
  events
    .filter(({ data }) => data.afterword)
    .map(({ data }) => (data.update as { content?: { text?: string } }).content?.text ?? '')
    .join('')

const spools = (testFolder: TestFolder) => {
  const keepers = join(testFolder.dataFolder, 'keepers')
  return existsSync(keepers) ? readdirSync(keepers) : []
}

/** The agent speaks when `go` is there, and says by `done` that it has. */
const speaks = (session: TestSession, text: string) => [
  { gate: session.path('go') },
  { say: text },
  { run: 'touch done' },
]

it('L11: the next server records what an agent says after its run while no server runs', {
  tags: ['long'],
}, async () => {
  const testFolder = makeTestFolder()
  const first = await startServer(testFolder, OUTLIVE)
  const before = await first.session()
  const { run } = await before.run([{ later: speaks(before, 'late words') }, { say: 'first' }])
  await first.kill()
  before.open('go')
  await appears(before.path('done'))
  const second = await startServer(testFolder, OUTLIVE)
  const session = before.through(second.carrel)
  const said = await session.until('agent.update', ({ data }) => JSON.stringify(data.update).includes('late words'))
  expect(said).toMatchObject({ run, data: { afterword: true } })
  expect(afterwords(await session.eventsOf('agent.update'))).toBe('late words')
  await eventually('the spool is gone', () => spools(testFolder).length === 0)
  expect((await session.run([{ say: 'second' }])).outcome).toBe('completed')
  await expectWhole(session)
  await clean(testFolder, second)
})

it('L11: nothing that an agent says around a kill -9 of the server is lost or recorded twice', async () => {
  const testFolder = makeTestFolder()
  let server = await startServer(testFolder, OUTLIVE)
  let session = await server.session()
  const words: string[] = []
  for (const round of ['a', 'b']) {
    const many = Array.from({ length: 40 }, (_, index) => ({ say: `${round}${index} ` }))
    words.push(...many.map(({ say }) => say))
    const later = [{ gate: session.path(`go-${round}`) }, ...many, { run: `touch done-${round}` }]
    await session.run([{ later }, { say: 'first' }])
    session.open(`go-${round}`)
    // In the middle of the afterwords: some are in the log, some in the spool.
    await session.until('agent.update', ({ data }) => JSON.stringify(data.update).includes(`${round}2 `))
    await server.kill()
    await appears(session.path(`done-${round}`))
    server = await startServer(testFolder, OUTLIVE)
    session = session.through(server.carrel)
    await session.until('agent.update', ({ data }) => JSON.stringify(data.update).includes(`${round}39 `))
  }
  expect(afterwords(await session.eventsOf('agent.update'))).toBe(words.join(''))
  await expectWhole(session)
  await clean(testFolder, server)
})

it('L11, F2: messages of a run that the spool repeats after a kill -9 are no sign that the run goes on', async () => {
  const testFolder = makeTestFolder()
  const first = await startServer(testFolder, OUTLIVE)
  const before = await first.session()
  await before.run([{ run: 'echo its > its.txt' }, { say: 'done' }])
  await first.kill()
  const second = await startServer(testFolder, OUTLIVE)
  const session = before.through(second.carrel)
  const { carrel, workspace, project } = session
  await eventually('the spool is read', () => spools(testFolder).length === 0)
  writeFileSync(session.path('mine.txt'), 'by a person')
  const { changes } = await session
    .run([{ say: 'second' }])
    .then(() => carrel.call('history.changes', { workspace, project }))
  expect(changes.find(({ path }) => path === 'mine.txt')).toMatchObject({ certainty: 'external' })
  await clean(testFolder, second)
})

it('L11: a question after a run is withdrawn once its agent has ended with the server', {
  tags: ['long'],
}, async () => {
  const testFolder = makeTestFolder()
  const first = await startServer(testFolder, OUTLIVE)
  const before = await first.session()
  await before.run([{ later: [{ gate: before.path('go') }, { run: 'touch effect', ask: true }] }, { say: 'first' }])
  before.open('go')
  const { interaction } = (await before.until('interaction.opened')).data
  await first.kill()
  const second = await startServer(testFolder, OUTLIVE)
  const session = before.through(second.carrel)
  expect((await session.until('interaction.withdrawn')).data.interaction).toBe(interaction)
  expect(await session.row()).toMatchObject({ state: 'idle', questions: 0 })
  await expectWhole(session)
  await clean(testFolder, second)
})

it('L11: a stop and a kill -9 of the server say which background work they cut', { tags: ['long'] }, async () => {
  const testFolder = makeTestFolder()
  let server = await startServer(testFolder, OUTLIVE)
  let session = await server.session()
  const work = 'sleep 300 > out 2>&1 &'
  for (const how of ['stop', 'kill'] as const) {
    const before = await session.log()
    const later = [{ gate: session.path(how) }, { say: `said at the ${how}` }, { run: `touch said-${how}` }]
    await session.run([{ run: work }, { later }, { say: 'started' }])
    await session.until('background.changed', undefined, before.length)
    await server[how]()
    // The agent outlives a kill of the server, and what it says then comes before the cut.
    session.open(how)
    if (how === 'kill') await appears(session.path('said-kill'))
    server = await startServer(testFolder, OUTLIVE)
    session = session.through(server.carrel)
    const over = await session.until('background.changed', ({ data }) => data.work.length === 0, before.length)
    const why = how === 'stop' ? 'The server was stopped.' : 'The process of the agent has ended.'
    expect(over.data.cut).toBe(`${why} Cut off in the background: ${work}.`)
    const said = (await session.log()).find((event) => JSON.stringify(event.data).includes(`"said at the ${how}"`))
    if (how === 'kill') expect(said?.seq).toBeLessThan(over.seq)
    await eventually('nothing of it runs', () => running(testFolder).length === 0)
  }
  await expectWhole(session)
  await clean(testFolder, server)
})

it('L11: the last words of an agent that a clean stop, an idle end or the end of its session ends are kept', {
  tags: ['long'],
}, async () => {
  const testFolder = makeTestFolder()
  const first = await startServer(testFolder, { ...OUTLIVE, idleAgentMs: 300 })
  const last = [{ later: [{ farewell: 'last words' }] }, { say: 'first' }]
  const isLast = ({ data }: EventOf<'agent.update'>) => JSON.stringify(data.update).includes('last words')
  const ended = await first.session()
  await ended.run(last)
  await ended.carrel.call('sessions.close', { workspace: 'default', id: ended.id })
  await ended.until('session.closed')
  expect((await ended.eventsOf('agent.update')).filter(isLast)).toHaveLength(1)
  const idle = await first.session({ beside: ended })
  await idle.run(last)
  await idle.until('agent.update', isLast)
  const stopped = await first.session({ beside: ended })
  await stopped.run(last)
  await first.stop()
  const second = await startServer(testFolder, OUTLIVE)
  const session = stopped.through(second.carrel)
  expect(await session.until('agent.update', isLast)).toMatchObject({ data: { afterword: true } })
  for (const each of [session, idle.through(second.carrel), ended.through(second.carrel)]) await expectWhole(each)
  await clean(testFolder, second)
})
