import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { expectWhole } from '../contracts/carrel-runs.ts'
import { killAgents, running, startServer } from '../support/carrel-server.ts'
import { eventually } from '../support/carrel-session.ts'
import { makeTestFolder } from '../support/carrel-world.ts'

/** Appends, so that a second run of the command would show. */
const WRITE = { run: 'echo once >> effects', ask: true }
const STEPS = [{ say: 'before' }, WRITE, { say: 'after' }]

it('I2, I3: asked at night, server killed, answered in the morning: the run continues and the person is asked once', async () => {
  const testFolder = makeTestFolder()
  const night = await startServer(testFolder)
  const session = await night.session()
  const { prompt } = await session.prompt(STEPS)
  const { interaction } = (await session.until('interaction.opened')).data
  await night.kill()
  const morning = await startServer(testFolder)
  await eventually('the agent of the night is gone', () => running(testFolder).length === 0, 3_000)
  const later = session.through(morning.carrel)
  const inbox = await morning.carrel.call('interactions.list', { workspace: 'default', state: 'open' })
  expect(inbox.interactions.map((each) => each.id)).toEqual([interaction])
  await later.until('run.parked')
  expect(existsSync(session.path('effects'))).toBe(false)
  await later.answer(interaction, 'allow-once')
  expect((await later.endOf(prompt)).data).toMatchObject({ outcome: 'completed', error: null })
  expect(readFileSync(session.path('effects'), 'utf8')).toBe('once\n')
  expect(await later.eventsOf('interaction.opened')).toHaveLength(1)
  expect(await later.eventsOf('grant.used')).toHaveLength(1)
  expect(await later.eventsOf('run.resumed')).toHaveLength(1)
  expect((await later.eventsOf('context.opened')).map((event) => event.data.how)).toEqual(['new', 'resumed'])
  await expectWhole(later)
})

it('I2: an answer while no node runs agents takes effect at the next start', async () => {
  const testFolder = makeTestFolder()
  // A node that runs nothing: it serves callers only, and takes the answer.
  const night = await startServer(testFolder)
  const session = await night.session()
  const { prompt } = await session.prompt(STEPS)
  const { interaction } = (await session.until('interaction.opened')).data
  await night.kill()
  const clerk = await startServer(testFolder, { runsAtOnce: 0 })
  await session.through(clerk.carrel).answer(interaction, 'allow-once')
  await clerk.kill()
  expect(existsSync(session.path('effects'))).toBe(false)
  const morning = await startServer(testFolder)
  const later = session.through(morning.carrel)
  expect((await later.endOf(prompt)).data).toMatchObject({ outcome: 'completed' })
  expect(readFileSync(session.path('effects'), 'utf8')).toBe('once\n')
  expect(await later.eventsOf('interaction.opened')).toHaveLength(1)
  await expectWhole(later)
})

it('I2: a stop parks waiting runs, and a start continues them', async () => {
  const testFolder = makeTestFolder()
  const first = await startServer(testFolder)
  const session = await first.session()
  const { prompt } = await session.prompt(STEPS)
  const { interaction } = (await session.until('interaction.opened')).data
  await first.stop()
  expect(running(testFolder)).toEqual([])
  const second = await startServer(testFolder)
  const later = session.through(second.carrel)
  expect((await later.eventsOf('run.parked')).at(-1)?.data.reason).toContain('stopped')
  await later.answer(interaction, 'allow-once')
  expect((await later.endOf(prompt)).data.outcome).toBe('completed')
  expect(readFileSync(session.path('effects'), 'utf8')).toBe('once\n')
  await expectWhole(later)
})

it('I2: an agent killed while its question is open parks the run, and the answer resumes it', {
  tags: ['long'],
}, async () => {
  const testFolder = makeTestFolder()
  const server = await startServer(testFolder)
  const session = await server.session()
  const { prompt } = await session.prompt(STEPS)
  const { interaction } = (await session.until('interaction.opened')).data
  killAgents(testFolder)
  await session.until('run.parked')
  expect(await session.row()).toMatchObject({ state: 'waiting', questions: 1 })
  await session.answer(interaction, 'allow-once')
  expect((await session.endOf(prompt)).data).toMatchObject({ outcome: 'completed', error: null })
  expect(readFileSync(session.path('effects'), 'utf8')).toBe('once\n')
  expect(await session.eventsOf('interaction.opened')).toHaveLength(1)
  await expectWhole(session)
})

it('I2: a refusal in the morning is a refusal', { tags: ['long'] }, async () => {
  const testFolder = makeTestFolder()
  const night = await startServer(testFolder)
  const session = await night.session()
  const { prompt } = await session.prompt([{ write: 'a.txt', content: 'a' }, { say: 'after' }])
  const { interaction } = (await session.until('interaction.opened')).data
  await night.kill()
  const morning = await startServer(testFolder)
  const later = session.through(morning.carrel)
  await later.answer(interaction, 'reject-once')
  expect((await later.endOf(prompt)).data.outcome).toBe('completed')
  expect(existsSync(session.path('a.txt'))).toBe(false)
  await expectWhole(later)
})
