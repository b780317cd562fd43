import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { expectWhole } from '../contracts/carrel-runs.ts'
import { killAgents, running, startServer } from '../support/carrel-server.ts'
import { appears, eventually, type TestSession, textOf } from '../support/carrel-session.ts'
import { agentProcesses, makeTestFolder } from '../support/carrel-world.ts'

const TOOL = {
  sessionUpdate: 'tool_call',
  toolCallId: 't1',
  title: 'Sweep the floor',
  kind: 'other',
  status: 'in_progress',
}
const CUT = [{ say: 'I was about to ' }, { update: TOOL }, { run: 'setsid sleep 1000 & touch begun; sleep 1000' }]

/** Waits until the last text is stored and so acknowledged; later updates may still be on their way. */
const streamed = (session: TestSession) =>
  session.until('agent.update', (event) => JSON.stringify(event.data.update).includes('Sweep the floor'))

it('P1, L4: a server killed in the middle of a run leaves no process; the run is lost once; the next prompt works', async () => {
  const testFolder = makeTestFolder()
  const first = await startServer(testFolder)
  const session = await first.session()
  await session.run([{ say: 'earlier' }])
  const { run } = await session.prompt(CUT, { wait: 'started' })
  await streamed(session)
  await appears(session.path('begun'))
  const queued = await session.prompt([{ say: 'and on' }])
  const before = await session.log()
  await first.kill()
  const second = await startServer(testFolder)
  await eventually('nothing of the killed run is left', async () => (await leftOf(testFolder.root)).length === 0, 3_000)
  const later = session.through(second.carrel)
  const lost = await later.until('run.ended', (event) => event.data.run === run)
  expect(lost.data).toMatchObject({ outcome: 'lost', error: { next: expect.any(String) } })
  expect(lost.data.halfDone.map((each) => each.title)).toContain('Sweep the floor')
  expect((await later.endOf(queued.prompt)).data.outcome).toBe('completed')
  expect((await later.log()).slice(0, before.length)).toEqual(before)
  expect(textOf(await later.items())).toBe('earlierI was about to and on')
  expect((await later.eventsOf('context.opened')).map((event) => event.data.how)).toEqual(['new', 'resumed'])
  expect((await later.eventsOf('run.ended')).filter((event) => event.data.run === run)).toHaveLength(1)
  await expectWhole(later)
  // A third start finds no run to end.
  await second.kill()
  const third = await startServer(testFolder)
  const last = session.through(third.carrel)
  expect((await last.run([{ say: '!' }])).outcome).toBe('completed')
  expect((await last.eventsOf('run.ended')).filter((event) => event.data.outcome === 'lost')).toHaveLength(1)
})

it('L4: an agent killed in the middle of a run fails it, the text stays, and the next prompt has its memory', async () => {
  const testFolder = makeTestFolder()
  const server = await startServer(testFolder)
  const session = await server.session()
  await session.run([{ say: 'earlier' }])
  const { prompt } = await session.prompt(CUT)
  await streamed(session)
  await appears(session.path('begun'))
  killAgents(testFolder)
  const ended = (await session.endOf(prompt)).data
  expect(ended).toMatchObject({ outcome: 'failed', error: { message: expect.stringContaining('ended in the middle') } })
  expect(ended.halfDone.map((each) => each.title)).toContain('Sweep the floor')
  expect(running(testFolder)).toEqual([])
  expect((await session.run([{ say: 'on' }])).outcome).toBe('completed')
  expect(textOf(await session.items())).toBe('earlierI was about to on')
  expect((await session.eventsOf('context.opened')).map((event) => event.data.how)).toEqual(['new', 'resumed'])
  await expectWhole(session)
})

it('P1, L4: server and agent killed together: the run is lost once, nothing is left, the next prompt works', {
  tags: ['long'],
}, async () => {
  const testFolder = makeTestFolder()
  const first = await startServer(testFolder)
  const session = await first.session()
  const { run } = await session.prompt(CUT, { wait: 'started' })
  await streamed(session)
  const killed = first.kill()
  killAgents(testFolder)
  await killed
  const second = await startServer(testFolder)
  const later = session.through(second.carrel)
  expect((await later.until('run.ended')).data).toMatchObject({ run, outcome: 'lost' })
  expect((await later.run([{ say: 'on' }])).outcome).toBe('completed')
  await eventually(
    'only the agent of the last run is left',
    async () => (await leftOf(testFolder.root)).length === 0,
    3_000,
  )
  await expectWhole(later)
})

it('S5: a second server on the same data folder is refused with a message, and a killed one does not lock it', async () => {
  const testFolder = makeTestFolder()
  const first = await startServer(testFolder)
  await expect(startServer(testFolder)).rejects.toThrow(new RegExp(`Process ${first.pid} is using the data folder`))
  await first.kill()
  const second = await startServer(testFolder)
  expect((await second.carrel.call('server.status', {})).liveRuns).toBe(0)
})

it('P1, S4: a clean stop cancels running prompts, says so, and leaves no process', async () => {
  const testFolder = makeTestFolder()
  const first = await startServer(testFolder)
  const session = await first.session()
  const { run } = await session.prompt(CUT, { wait: 'started' })
  await appears(session.path('begun'))
  await first.stop()
  expect(await leftOf(testFolder.root)).toEqual([])
  expect(running(testFolder)).toEqual([])
  const second = await startServer(testFolder)
  const later = session.through(second.carrel)
  const ended = (await later.eventsOf('run.ended')).at(-1)
  expect(ended?.data).toMatchObject({ run, outcome: 'cancelled', error: { message: 'The server was stopped.' } })
  expect((await later.run([{ say: 'on' }])).outcome).toBe('completed')
})

/** Lists the sleeping commands that the interrupted run started, even those that moved to another group. */
async function leftOf(root: string): Promise<string[]> {
  return agentProcesses(root).flatMap((pid) => {
    const { stdout } = spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' })
    return stdout.includes('sleep 1000') ? [stdout.trim()] : []
  })
}
