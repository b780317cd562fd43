import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Carrel } from '../../src/api/index.ts'
import { type Engine } from '../../src/engine/engine.ts'
import { openEngine } from '../../src/engine/open.ts'
import { operations } from '../../src/api/index.ts'
import { loadSettings } from '../../src/faces/cli/config.ts'
import { MIGRATIONS } from '../../src/store/sql/migrate.ts'
import { eventually, type TestSession, testSession, textOf } from '../support/carrel-session.ts'
import { ADA, scriptedAgent } from '../support/carrel-world.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { ENGINES, type EngineName, layDown, type OldData } from '../support/old-data.ts'
import { readFacts, type Verbs } from '../support/old-facts.ts'

const at = { workspace: 'default' } as const
const CASES = MIGRATIONS.flatMap((_, index) => ENGINES.map((engine): [number, EngineName] => [index + 1, engine]))

describe.each(CASES)('data of schema %i on %s', (schema, engineName) => {
  let database: TestDatabase | null = null
  let old: OldData
  let engine: Engine | null = null
  let carrel: Carrel

  const open = async (settings: object) => {
    await engine?.close()
    const agents = [scriptedAgent('apart', { home: 'own', passEnv: [] })]
    const { dataFolder, env, root } = old
    engine = await openEngine(
      { logLevel: 'silent', outliveMs: 0, historyWaitMs: 60_000, agents, databaseUrl: database?.url ?? null, ...settings, dataFolder },
      { env, home: join(root, 'home') },
    )
    carrel = engine.carrelFor(ADA)
  }

  const session = async (name: string): Promise<TestSession> => {
    const { sessions } = await carrel.call('sessions.list', { ...at, limit: 200 })
    const found = sessions.find((each) => each.name === name)
    if (!found) throw new Error(`There is no session ${name}.`)
    const { space } = await carrel.call('spaces.get', { ...at, id: found.space })
    return testSession(carrel, { ...at, id: found.id, space, project: found.project })
  }

  beforeAll(async () => {
    if (engineName === 'postgres') {
      const made = await createDatabase()
      if ('skipped' in made) throw new Error(made.skipped)
      database = made
    }
    old = await layDown(schema, engineName, database?.url ?? null)
  })

  afterAll(async () => {
    await engine?.close()
    await database?.drop()
    old?.remove()
  })

  it('L11: all that was there is there', async () => {
    // A node that runs nothing: what was left goes on later.
    await open({ runsAtOnce: 0 })
    const has = (verb: string) => verb in operations
    expect(await readFacts(carrel as unknown as Verbs, has, old.root)).toMatchObject(old.expected)
  })

  it('L11: logs are told in the same words', async () => {
    const { sessions } = await carrel.call('sessions.list', { ...at, limit: 200 })
    for (const { id, name } of sessions) {
      const { text } = await carrel.call('sessions.export', { ...at, id, as: 'jsonl' })
      expect(text, name).toBe(old.logs[name])
    }
  })

  it('L11: every setting of then is read', () => {
    const { config } = loadSettings({ flags: { dataFolder: old.dataFolder }, env: {}, cwd: old.root, platform: 'linux' })
    expect(config).toMatchObject({ defaultAgent: 'scripted', parkAfterMs: 1_234, agents: [{ id: 'apart', home: 'own' }] })
  })

  it('L11: what waited goes on', async () => {
    await open({})
    const [question, behind, queued] = [await session('Question'), await session('Behind'), await session('Queued')]
    const { interactions } = await carrel.call('interactions.list', { ...at, state: 'open' })
    for (const asked of [question, behind]) {
      const { id, question: { options } } = interactions.find((each) => each.session === asked.id) ?? expect.fail('no question')
      await asked.answer(id, options[0]?.id ?? '')
    }
    await question.until('run.ended')
    expect(textOf(await question.items())).toContain('The door is a thing of the past.')
    await behind.until('run.ended', undefined, (await behind.until('run.ended')).seq)
    expect(textOf(await behind.items())).toContain('The second in the queue.')
    await queued.until('run.ended')
    expect(textOf(await queued.items())).toBe('The queue kept me.')
  })

  it('L11: what was cut off', async () => {
    const cut = await session('Cut off')
    console.log(schema, engineName, (await cut.row()).state, (await cut.log()).slice(-3))
  })

  it('L11: search finds what was said', async () => {
    await eventually('all is found', async () => {
      const { hits } = await carrel.call('search.items', { ...at, text: 'cormorant' })
      return hits.some(({ sessionName, kind }) => sessionName === 'Archived' && kind === 'message')
    }, 5_000)
  })
})
