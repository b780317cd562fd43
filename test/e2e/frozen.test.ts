import { join } from 'node:path'
import { expect, it } from 'vitest'
import { expectWhole } from '../contracts/carrel-runs.ts'
import { killAgents, running, startServer } from '../support/carrel-server.ts'
import { appears, eventually, textOf } from '../support/carrel-session.ts'
import { makeTestFolder, openWorld } from '../support/carrel-world.ts'
import { canMountDisk, mountSmallDisk } from '../support/small-disk.ts'

const HOUR_MS = 3_600_000
const numbers = (count: number) => Array.from({ length: count }, (_, index) => `${index} `).join('')

it('S6: a server that is frozen for longer than its lease keeps all runs, with every word that agents said meanwhile', async () => {
  const testFolder = makeTestFolder()
  const server = await startServer(testFolder, { leaseTtlMs: 300, outliveMs: 120_000, questionTtlMs: 4_000 })
  const speaking = await Promise.all([1, 2, 3].map(() => server.session()))
  const prompts = await Promise.all(
    speaking.map((session) =>
      session.prompt([
        { say: 'begun ' },
        { gate: 'go' },
        { repeat: 40, everyMs: 5 },
        { run: 'sleep 5; touch slept' },
        { say: 'end' },
      ]),
    ),
  )
  for (const session of speaking)
    await session.until('agent.update', (event) => JSON.stringify(event.data.update).includes('begun'))
  const asking = await server.session()
  const asked = await asking.prompt([{ run: 'echo x >> effects', ask: true }, { say: 'done' }])
  const { data } = await asking.until('interaction.opened')
  server.signal('SIGSTOP')
  // The agents measure the time for which the server is frozen.
  for (const session of speaking) session.open('go')
  for (const session of speaking) await appears(session.path('slept'))
  server.signal('SIGCONT')
  for (const [at, session] of speaking.entries()) {
    expect((await session.endOf(prompts[at]!.prompt)).data).toMatchObject({ outcome: 'completed', error: null })
    expect(textOf(await session.items())).toBe(`begun ${numbers(40)}end`)
    await expectWhole(session)
  }
  expect(await asking.eventsOf('interaction.expired')).toEqual([])
  await asking.answer(data.interaction, 'allow-once')
  expect((await asking.endOf(asked.prompt)).data.outcome).toBe('completed')
  expect(await asking.eventsOf('run.parked')).toEqual([])
  await server.stop()
  await eventually('nothing is left', () => running(testFolder).length === 0)
})

it('S6, I5, P6: an hour asleep ends no run, expires no question, parked or not, and uses up no budget', async () => {
  const clock = { ahead: 0 }
  const world = await openWorld(
    { questionTtlMs: 5_000, runBudgetMs: 600_000, parkAfterMs: 20 },
    { now: () => Date.now() + clock.ahead },
  )
  const [working, parked, later] = [await world.session(), await world.session(), await world.session()]
  const { prompt } = await working.prompt([{ say: 'before ' }, { gate: 'go' }, { say: 'after' }], { wait: 'started' })
  const asked = await parked.prompt([{ ask: true, run: 'echo asked > asked' }])
  const { interaction } = (await parked.until('interaction.opened')).data
  await parked.until('run.parked')
  clock.ahead += HOUR_MS
  working.open('go')
  const ended = await working.endOf(prompt)
  expect(ended.data).toMatchObject({ outcome: 'completed', error: null })
  expect(ended.data.spent!.ms).toBeLessThan(HOUR_MS / 2)
  expect(textOf(await working.items())).toBe('before after')
  // A question that was asked after the sleep expires first: due sessions were looked at meanwhile.
  await later.prompt([{ ask: true, run: 'echo later > later' }])
  await later.until('interaction.expired')
  expect(await parked.eventsOf('interaction.expired')).toEqual([])
  await parked.answer(interaction, 'allow-once')
  expect((await parked.endOf(asked.prompt)).data.outcome).toBe('completed')
})

it.skipIf(!canMountDisk)(
  'S6: a disk that is full for longer than a lease ends no run, and no word of the agents is lost',
  async () => {
    const testFolder = makeTestFolder()
    using disk = mountSmallDisk(64)
    const dataFolder = join(disk.at, 'data')
    const server = await startServer(testFolder, { dataFolder, leaseTtlMs: 300, outliveMs: 120_000, flushMs: 5 })
    const sessions = await Promise.all([1, 2].map(() => server.session()))
    const prompts = await Promise.all(
      sessions.map((session) => session.prompt([{ repeat: 200, everyMs: 10 }, { say: 'end' }])),
    )
    for (const session of sessions)
      await session.until('agent.update', ({ data }) => JSON.stringify(data.update).includes('"9 "'))
    disk.fill()
    // Many words come while nothing can be stored.
    for (let tries = 0; tries < 30; tries += 1)
      await expect(sessions[0]!.prompt('more')).rejects.toMatchObject({ code: 'unavailable' })
    disk.free()
    for (const [at, session] of sessions.entries()) {
      expect((await session.endOf(prompts[at]!.prompt)).data).toMatchObject({ outcome: 'completed', error: null })
      expect(textOf(await session.items())).toBe(`${numbers(200)}end`)
      await expectWhole(session)
    }
    await server.kill()
    killAgents(testFolder)
    await eventually('nothing is left', () => running(testFolder).length === 0)
  },
)
