import { expect, inject, it, onTestFinished } from 'vitest'
import type { Config } from '../../src/model/settings/config.ts'
import { expectWhole } from '../contracts/carrel-runs.ts'
import { killAgents, running } from '../support/carrel-server.ts'
import { eventually, type TestSession, textOf } from '../support/carrel-session.ts'
import { makeTestFolder, openWorld, scriptedAgent } from '../support/carrel-world.ts'
import { createDatabase } from '../support/database.ts'

const texts = async (session: TestSession) => textOf(await session.items())

/** Stops the server cleanly in the middle of four runs of one process, and starts it again. */
async function stopsAndStarts(rounds: number, settings: Partial<Config>): Promise<void> {
  const testFolder = makeTestFolder()
  onTestFinished(async () => {
    killAgents(testFolder)
    await eventually('nothing is left', () => running(testFolder).length === 0)
  })
  const agents = [scriptedAgent('shared', { runsPerProcess: 8 })]
  const world = await openWorld({ agents, outliveMs: 120_000, ...settings }, {}, testFolder)
  const open = () => world.session({ agent: 'shared' })
  for (let round = 1; round <= rounds; round += 1) {
    const [working, speaking, asking, other] = await Promise.all([open(), open(), open(), open()])
    const gate = `go-${round}`
    const works = await working!.prompt([{ say: 'one ' }, { gate }, { say: 'two' }], { wait: 'started' })
    const speaks = await speaking!.prompt([{ repeat: 60, everyMs: 10 }, { gate }, { say: 'end' }], { wait: 'started' })
    const asks = [asking!, other!].map(async (session) => {
      const { prompt } = await session.prompt([{ run: 'echo x >> effects', ask: true }, { say: 'done' }])
      return { session, prompt, ...(await session.until('interaction.opened')).data }
    })
    const asked = await Promise.all(asks)
    await speaking!.until('agent.update', ({ data }) => JSON.stringify(data.update).includes('"3 "'))
    await world.restart()
    for (const session of [working!, speaking!]) session.open(gate)
    const [worked, spoken] = [working!.through(world.carrel), speaking!.through(world.carrel)]
    expect((await worked.endOf(works.prompt)).data).toMatchObject({ outcome: 'completed', error: null })
    expect((await spoken.endOf(speaks.prompt)).data).toMatchObject({ outcome: 'completed', error: null })
    expect(await texts(worked)).toBe('one two')
    expect(await texts(spoken)).toBe(`${Array.from({ length: 60 }, (_, at) => `${at} `).join('')}end`)
    for (const { session, prompt, interaction } of asked) {
      const again = session.through(world.carrel)
      await again.answer(interaction, 'allow-once')
      expect((await again.endOf(prompt)).data.outcome).toBe('completed')
      expect(await again.eventsOf('interaction.opened')).toHaveLength(1)
      await expectWhole(again)
    }
  }
}

it('P5, I2: a clean stop while runs of one process work and others wait for a person loses none of them', {
  tags: ['long'],
}, async () => {
  await stopsAndStarts(3, {})
})

it.skipIf('skipped' in inject('postgres'))('P5, I2: the same with Postgres', async () => {
  const database = await createDatabase()
  if ('skipped' in database) throw new Error(database.skipped)
  onTestFinished(database.drop)
  await stopsAndStarts(1, { databaseUrl: database.url })
})
