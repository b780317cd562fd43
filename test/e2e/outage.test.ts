import { readFileSync } from 'node:fs'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { expectWhole } from '../contracts/carrel-runs.ts'
import { appears, type TestSession, textOf } from '../support/carrel-session.ts'
import { openWorld } from '../support/carrel-world.ts'
import { openCuttingRelay } from '../support/cutting-relay.ts'
import { createDatabase } from '../support/database.ts'

const server = inject('postgres')
const numbers = (count: number) => Array.from({ length: count }, (_, index) => `${index} `).join('')

/** A node behind a relay, and another one, without runs, that reads the logs while the first has no database. */
async function open(settings: object = {}) {
  const database = await createDatabase()
  if ('skipped' in database) throw new Error(database.skipped)
  onTestFinished(database.drop)
  const relay = await openCuttingRelay(database.url)
  onTestFinished(relay.close)
  const world = await openWorld({ databaseUrl: relay.url, flushMs: 5, ...settings })
  const other = await openWorld({ databaseUrl: database.url, runsAtOnce: 0 })
  return { relay, world, seen: (session: TestSession) => session.through(other.carrel) }
}

const completes = async (session: TestSession, prompt: string, text: string) => {
  expect((await session.endOf(prompt)).data).toMatchObject({ outcome: 'completed', error: null })
  expect(textOf(await session.items())).toBe(text)
  await expectWhole(session)
}

/** Cuts in the middle of what an agent says, as often as its words come. */
async function cutWhileSpeaking(session: TestSession, cut: () => void, times: number) {
  for (let at = 1; at <= times; at += 1) {
    await session.until('agent.update', ({ data }) => JSON.stringify(data.update).includes(`"${at * 20} "`))
    cut()
  }
}

describe.skipIf('skipped' in server)('a database that is away for less than a lease', () => {
  it('S6, L1: all connections are cut again and again while agents speak, and no run is lost and no word doubled', async () => {
    const { relay, world, seen } = await open()
    const sessions = await Promise.all([1, 2, 3].map(() => world.session()))
    const prompts = await Promise.all(sessions.map((session) => session.prompt([{ repeat: 120, everyMs: 8 }])))
    await cutWhileSpeaking(seen(sessions[0]!), relay.cut, 4)
    for (const [at, session] of sessions.entries()) await completes(seen(session), prompts[at]!.prompt, numbers(120))
  })

  it('S6, L1, L4: commits whose answers are lost are found, in every step of a run', async () => {
    const { relay, world, seen } = await open()
    const session = await world.session()
    const steps = [{ repeat: 30, everyMs: 5 }]
    await session.prompt(steps, { wait: 'ended' })
    for (const [index, times] of [1, 3].entries()) {
      relay.loseCommits(times)
      // The answer to the prompt itself may be among the lost ones: the same key asks again.
      const asked = (): Promise<{ prompt: string }> => session.prompt(steps, { key: `key-${times}` }).catch(asked)
      const { prompt } = await asked()
      await completes(seen(session), prompt, numbers(30).repeat(index + 2))
    }
    expect(relay.lost).toBe(4)
    expect(await session.eventsOf('prompt.requested')).toHaveLength(3)
    expect(await session.eventsOf('run.ended')).toHaveLength(3)
  })

  it('S3, S6: while the database is away no answer reaches an agent, and what it says is in the log afterwards', async () => {
    const { relay, world, seen } = await open({ leaseTtlMs: 60_000 })
    const [asking, speaking] = [await world.session(), await world.session()]
    const asked = await asking.prompt([{ run: 'echo x >> effects', ask: true }, { say: 'done' }])
    const spoken = await speaking.prompt([
      { say: 'before ' },
      { gate: 'go' },
      { say: 'meanwhile' },
      { run: 'touch told' },
    ])
    const { interaction } = (await asking.until('interaction.opened')).data
    await speaking.until('agent.update', ({ data }) => JSON.stringify(data.update).includes('before'))
    relay.down()
    await expect(asking.answer(interaction, 'allow-once')).rejects.toMatchObject({ code: 'unavailable' })
    // Another node takes the answer, which must not reach the agent before its own node has proven the lease.
    await seen(asking).answer(interaction, 'allow-once')
    speaking.open('go')
    await appears(speaking.path('told'))
    expect(() => readFileSync(asking.path('effects'))).toThrow(/ENOENT/)
    relay.up()
    await completes(seen(speaking), spoken.prompt, 'before meanwhile')
    await completes(seen(asking), asked.prompt, 'done')
    expect(readFileSync(asking.path('effects'), 'utf8')).toBe('x\n')
  })

  it('S3, S6: an outage that outlasts the lease ends the agent, and the log names the outage as the reason', async () => {
    const { relay, world, seen } = await open({ leaseTtlMs: 3_000 })
    const session = await world.session()
    const { prompt } = await session.prompt([{ say: 'begun' }, { hang: true }])
    await session.until('agent.update', ({ data }) => JSON.stringify(data.update).includes('begun'))
    relay.down()
    await expect.poll(() => world.processes().length).toBe(0)
    relay.up()
    const { data } = await seen(session).endOf(prompt)
    expect(data).toMatchObject({ outcome: 'lost' })
    expect(data.error?.message).toMatch(/^This server gave the run up\. .*Postgres server/)
  })
})
