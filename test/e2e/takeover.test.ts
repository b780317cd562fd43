import { readFileSync } from 'node:fs'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import type { Config } from '../../src/model/settings/config.ts'
import { expectWhole } from '../contracts/carrel-runs.ts'
import { killAgents, type Server, startServer } from '../support/carrel-server.ts'
import { appears, eventually, type TestSession, textOf } from '../support/carrel-session.ts'
import { agentProcesses, makeTestFolder } from '../support/carrel-world.ts'
import { createDatabase } from '../support/database.ts'

const server = inject('postgres')
const SHORT = { leaseTtlMs: 1_000 }

const adopt = (node: Server, { workspace, space }: TestSession) =>
  node.carrel.call('spaces.adopt', { workspace, id: space.id, confirm: true })

/** Starts two nodes with a data folder each and one database. */
async function twoNodes(more: Partial<Config> = {}): Promise<{
  database: string
  first: Server
  second: Server
  testFolders: ReturnType<typeof makeTestFolder>[]
}> {
  const database = await createDatabase()
  if ('skipped' in database) throw new Error(database.skipped)
  onTestFinished(database.drop)
  const databaseUrl = database.url
  const one = makeTestFolder()
  const two = makeTestFolder()
  const first = await startServer(one, { ...SHORT, databaseUrl, ...more })
  const second = await startServer(two, { ...SHORT, databaseUrl, ...more })
  return { database: databaseUrl, first, second, testFolders: [one, two] }
}

describe.skipIf('skipped' in server)('two nodes on one database', () => {
  it('S1, S3: a frozen machine whose Space is adopted elsewhere writes nothing more, and its agent is killed', async () => {
    const { first, second, testFolders } = await twoNodes()
    const session = await first.session()
    const { run } = await session.prompt([{ say: 'begun' }, { gate: 'go' }, { run: 'echo after >> effects' }], {
      wait: 'started',
    })
    await session.until('agent.update', (event) => JSON.stringify(event.data.update).includes('begun'))
    const [holder, testFolder] = [first, testFolders[0]]
    const theirs = session.through(second.carrel)
    await expect(adopt(second, session)).rejects.toMatchObject({ code: 'busy' })
    holder.signal('SIGSTOP')
    await eventually('its lease runs out', () =>
      adopt(second, session).then(
        () => true,
        () => false,
      ),
    )
    const lost = await theirs.until('run.ended')
    expect(lost.data).toMatchObject({ run, outcome: 'lost' })
    expect((await theirs.run([{ say: 'on' }])).outcome).toBe('completed')
    const before = await theirs.log()
    holder.signal('SIGCONT')
    await eventually('the overtaken agent is killed', () => agentProcesses(testFolder?.root ?? '').length === 0, 5_000)
    // The old holder still answers, with the unchanged log: it has added nothing.
    await holder.carrel.call('server.status', {})
    expect(await session.through(holder.carrel).log()).toEqual(before)
    session.open('go')
    expect((await theirs.run([{ run: 'cat effects || true' }])).outcome).toBe('completed')
    expect(() => readFileSync(session.path('effects'))).toThrow(/ENOENT/)
    await expectWhole(theirs)
  })

  it('S4, N1: a clean stop releases the leases; the queue waits for its machine, or continues where it is adopted', async () => {
    const { first, second } = await twoNodes()
    const session = await first.session()
    await session.prompt([{ run: 'touch begun; sleep 1000' }], { wait: 'started' })
    await appears(session.path('begun'))
    const next = await session.prompt([{ say: 'elsewhere' }])
    await first.stop()
    const theirs = session.through(second.carrel)
    expect(await theirs.row()).toMatchObject({ state: 'queued', queued: 1 })
    await adopt(second, session)
    const ends = await theirs.endOf(next.prompt)
    expect(ends.data.outcome).toBe('completed')
    expect((await theirs.eventsOf('run.ended')).map((event) => event.data.outcome)).toEqual(['cancelled', 'completed'])
    await expectWhole(theirs)
  })

  it('P5, N1: a machine that stops, or is killed, leaves its agents at work; no other node takes their runs', {
    tags: ['long'],
  }, async () => {
    const { database, first, second, testFolders } = await twoNodes({ outliveMs: 120_000 })
    const begin = async (words: string) => {
      const session = await first.session()
      const { prompt } = await session.prompt([{ say: 'one ' }, { gate: 'go' }, { repeat: 20 }, { say: words }])
      await session.until('agent.update', (event) => JSON.stringify(event.data.update).includes('one'))
      return { session, prompt, words }
    }
    const runs = [await begin('stopped'), await begin('killed')]
    const waiting = await first.session()
    const asked = await waiting.prompt([{ run: 'echo x >> effects', ask: true }, { say: 'done' }])
    const { interaction } = (await waiting.until('interaction.opened')).data
    await first.stop()
    const middle = await startServer(testFolders[0]!, { ...SHORT, databaseUrl: database, outliveMs: 120_000 })
    const [killed] = runs.slice(1)
    runs[0]!.session.open('go')
    expect((await runs[0]!.session.through(middle.carrel).endOf(runs[0]!.prompt)).data.outcome).toBe('completed')
    await middle.kill()
    killed!.session.open('go')
    // Longer than the lease: the prompt of another Space has been served by its own machine since.
    const theirs = await second.session()
    expect((await theirs.run([{ run: 'sleep 1.5' }])).outcome).toBe('completed')
    const last = await startServer(testFolders[0]!, { ...SHORT, databaseUrl: database, outliveMs: 120_000 })
    onTestFinished(() => killAgents(testFolders[0]!))
    for (const { session, prompt, words } of runs) {
      const again = session.through(last.carrel)
      expect((await again.endOf(prompt)).data).toMatchObject({ outcome: 'completed', error: null })
      expect(textOf(await again.items())).toBe(
        `one ${Array.from({ length: 20 }, (_, at) => `${at} `).join('')}${words}`,
      )
      await expectWhole(again)
    }
    const again = waiting.through(last.carrel)
    await again.answer(interaction, 'allow-once')
    expect((await again.endOf(asked.prompt)).data.outcome).toBe('completed')
    expect(await again.eventsOf('interaction.opened')).toHaveLength(1)
    await last.stop()
  })

  it('S1, L4: with two nodes running each prompt runs once, wherever it was sent', async () => {
    const { first, second } = await twoNodes()
    const session = await first.session()
    const theirs = session.through(second.carrel)
    const asked = await Promise.all(
      Array.from({ length: 12 }, (_, at) =>
        (at % 2 === 0 ? session : theirs).prompt([{ run: `echo ${at} >> effects` }]),
      ),
    )
    for (const { prompt } of asked) expect((await theirs.endOf(prompt)).data.outcome).toBe('completed')
    const effects = readFileSync(session.path('effects'), 'utf8').trim().split('\n')
    expect(effects.map(Number).toSorted((a, b) => a - b)).toEqual(asked.map((_, at) => at))
    expect(await session.eventsOf('run.ended')).toHaveLength(12)
    await expectWhole(session)
  })
})
