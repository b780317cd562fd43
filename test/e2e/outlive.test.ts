import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { expectWhole } from '../contracts/carrel-runs.ts'
import { killAgents, running, type Server, startServer } from '../support/carrel-server.ts'
import { appears, eventually, type TestSession, textOf } from '../support/carrel-session.ts'
import { makeTestFolder, type TestFolder } from '../support/carrel-world.ts'

/** Long enough for every restart here; the end of each test ends the remaining processes. */
const OUTLIVE = { outliveMs: 120_000, flushMs: 5 }
const numbers = (count: number) => Array.from({ length: count }, (_, index) => `${index} `).join('')

const restart = async (testFolder: TestFolder, session: TestSession) => {
  const server = await startServer(testFolder, OUTLIVE)
  return { server, session: session.through(server.carrel) }
}
/** Waits until the agent has the prompt and answers; its offers may come before. */
const speaking = (session: TestSession) =>
  session.until('agent.update', ({ data }) => JSON.stringify(data.update).includes('agent_message_chunk'))
const opened = async (session: TestSession) => (await session.eventsOf('context.opened')).map(({ data }) => data.how)

/** Ends everything that must not outlive the test: agents, their keepers, and the last server. */
async function clean(testFolder: TestFolder, server: Server): Promise<void> {
  await server.kill()
  killAgents(testFolder)
  await eventually('nothing is left', () => running(testFolder).length === 0)
}

it('F2, P5: writes of people while no server scans do not count as work of the run that continues', async () => {
  const testFolder = makeTestFolder()
  const first = await startServer(testFolder, OUTLIVE)
  const before = await first.session()
  const { prompt } = await before.prompt([
    { write: 'named.txt', content: 'by its tool', ask: false },
    { run: 'echo early > early.txt' },
    { say: 'one' },
    { run: 'until [ -e ready ]; do sleep 0.02; done; echo by its shell > shell.txt' },
    { say: 'two' },
  ])
  // The server has heard of the end of both tools.
  await speaking(before)
  await first.kill()
  writeFileSync(before.path('people.txt'), 'by a person')
  writeFileSync(before.path('ready'), '')
  await appears(before.path('shell.txt'))
  const { server, session } = await restart(testFolder, before)
  const ended = await session.endOf(prompt)
  expect(ended.data.outcome).toBe('completed')
  const { run } = ended.data
  const at = { workspace: 'default', project: session.project } as const
  const authorOf = async (path: string) => {
    const { changes } = await server.carrel.call('history.path', { ...at, path })
    return changes[0]?.author
  }
  expect(await authorOf('named.txt')).toMatchObject({ kind: 'run', run })
  expect(await authorOf('early.txt')).toMatchObject({ kind: 'run', run })
  // Nobody can tell these two apart, so their author is unknown.
  expect(await authorOf('people.txt')).toEqual({ kind: 'unknown', among: [run] })
  expect(await authorOf('shell.txt')).toEqual({ kind: 'unknown', among: [run] })
  const request = { kind: 'undo', of: { kind: 'run', run } } as const
  await expect(
    server.carrel.call('plans.apply', { ...at, request, digest: await digestOf(request) }),
  ).rejects.toMatchObject({ code: 'conflict' })
  expect(readFileSync(session.path('people.txt'), 'utf8')).toBe('by a person')
  // One decision serves all paths that nobody saw being written.
  const digest = await digestOf(request)
  await server.carrel.call('plans.apply', { ...at, request, digest, unwatched: 'leave' })
  expect(['early.txt', 'people.txt', 'shell.txt'].map((path) => existsSync(session.path(path)))).toEqual([
    false,
    true,
    true,
  ])
  await clean(testFolder, server)

  async function digestOf(asked: typeof request): Promise<string> {
    return (await server.carrel.call('plans.make', { ...at, request: asked })).digest
  }
})

it('P5: a server that fails to start leaves the agents of runs to the next one, however slow it is', {
  tags: ['long'],
}, async () => {
  const testFolder = makeTestFolder()
  const first = await startServer(testFolder, OUTLIVE)
  const before = await first.session()
  const { prompt } = await before.prompt([{ say: 'one ' }, { gate: 'go' }, { say: 'two' }])
  await speaking(before)
  await first.kill()
  // This server adopts no run, and looks for unclaimed agents before it ends.
  const idle = await startServer(testFolder, { ...OUTLIVE, runsAtOnce: 0 })
  await idle.stop()
  before.open('go')
  const { server, session } = await restart(testFolder, before)
  expect((await session.endOf(prompt)).data.outcome).toBe('completed')
  expect(textOf(await session.items())).toBe('one two')
  await clean(testFolder, server)
})

it('P5, L11: what an agent sent before the first prompt of its session is the run’s, also for the next server', async () => {
  const testFolder = makeTestFolder()
  // The first server writes nothing of the agent's before it is killed.
  const first = await startServer(testFolder, { ...OUTLIVE, flushMs: 1_000 })
  const before = await first.session()
  const { prompt } = await before.prompt([{ run: 'touch begun' }, { gate: 'go' }, { say: 'done' }])
  await appears(before.path('begun'))
  await first.kill()
  before.open('go')
  const { server, session } = await restart(testFolder, before)
  expect((await session.endOf(prompt)).data).toMatchObject({ outcome: 'completed', error: null })
  expect(textOf(await session.items())).toBe('done')
  expect((await session.view()).agents.scripted?.commands).not.toEqual([])
  await clean(testFolder, server)
})

it('P5: a clean stop, as for an upgrade, leaves the agent running, and the next server gets all its output', async () => {
  const testFolder = makeTestFolder()
  const first = await startServer(testFolder, OUTLIVE)
  const before = await first.session()
  const { prompt } = await before.prompt([{ repeat: 100, everyMs: 10 }, { gate: 'go' }, { say: 'after' }])
  await speaking(before)
  await first.stop()
  before.open('go')
  const { server, session } = await restart(testFolder, before)
  expect((await session.endOf(prompt)).data.outcome).toBe('completed')
  expect(textOf(await session.items())).toBe(`${numbers(100)}after`)
  expect((await session.run([{ say: ' and on' }])).outcome).toBe('completed')
  expect(await opened(session)).toEqual(['new'])
  await clean(testFolder, server)
})

it('P5: the next server completes a run whose agent finished while no server ran', {
  tags: ['long'],
}, async () => {
  const testFolder = makeTestFolder()
  const first = await startServer(testFolder, OUTLIVE)
  const before = await first.session()
  const { prompt } = await before.prompt([{ say: 'one ' }, { gate: 'go' }, { say: 'two' }, { run: 'touch done' }])
  await speaking(before)
  await first.kill()
  before.open('go')
  await appears(before.path('done'))
  const { server, session } = await restart(testFolder, before)
  expect((await session.endOf(prompt)).data.outcome).toBe('completed')
  expect(textOf(await session.items())).toBe('one two')
  await clean(testFolder, server)
})

it('I3, P5: a question that was open when the server was killed is asked once, and its answer reaches the waiting agent', async () => {
  const testFolder = makeTestFolder()
  const first = await startServer(testFolder, OUTLIVE)
  const before = await first.session()
  const { prompt } = await before.prompt([{ run: 'echo x >> effects', ask: true }, { say: 'done' }])
  const { data } = await before.until('interaction.opened')
  await first.kill()
  const { server, session } = await restart(testFolder, before)
  await session.answer(data.interaction, 'allow-once')
  expect((await session.endOf(prompt)).data.outcome).toBe('completed')
  expect(await session.eventsOf('interaction.opened')).toHaveLength(1)
  expect(await session.eventsOf('run.parked')).toHaveLength(0)
  expect(readFileSync(session.path('effects'), 'utf8')).toBe('x\n')
  expect(await opened(session)).toEqual(['new'])
  await clean(testFolder, server)
})

it('P2, P5: an adopted run can be stopped', async () => {
  const testFolder = makeTestFolder()
  const first = await startServer(testFolder, OUTLIVE)
  const before = await first.session()
  const { prompt, run } = await before.prompt([{ say: 'x' }, { gate: 'never' }], { wait: 'started' })
  await speaking(before)
  await first.kill()
  const { server, session } = await restart(testFolder, before)
  await server.carrel.call('sessions.cancel', { workspace: session.workspace, id: session.id, run: run ?? undefined })
  expect((await session.endOf(prompt)).data.outcome).toBe('cancelled')
  expect((await session.run([{ say: 'next' }])).outcome).toBe('completed')
  await clean(testFolder, server)
})

it('P5, L4: when keeper and agent died too, the text is kept, the run is lost once, and the next prompt works', {
  tags: ['long'],
}, async () => {
  const testFolder = makeTestFolder()
  const first = await startServer(testFolder, OUTLIVE)
  const before = await first.session()
  const { prompt } = await before.prompt([
    { say: 'said ' },
    { gate: 'go' },
    { say: 'alone' },
    { run: 'touch told; sleep 1000' },
  ])
  await speaking(before)
  await first.kill()
  before.open('go')
  await appears(before.path('told'))
  killAgents(testFolder)
  await eventually('nothing is left', () => running(testFolder).length === 0)
  const { server, session } = await restart(testFolder, before)
  expect((await session.endOf(prompt)).data.outcome).toBe('lost')
  expect(textOf(await session.items())).toBe('said alone')
  expect((await session.run([{ say: '!' }])).outcome).toBe('completed')
  await expectWhole(session)
  await clean(testFolder, server)
})

it('P1: an agent whose server does not return in time ends, with all its children', async () => {
  const testFolder = makeTestFolder()
  const first = await startServer(testFolder, { outliveMs: 500 })
  const session = await first.session()
  await session.prompt([{ run: 'setsid sleep 1000 & touch begun; sleep 1000' }], { wait: 'started' })
  await appears(session.path('begun'))
  await first.kill()
  await eventually('nothing is left', () => running(testFolder).length === 0)
})
