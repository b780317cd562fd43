import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Carrel, operations } from '../../src/api/index.ts'
import { restoreBackup } from '../../src/engine/backup/restore.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { openEngine } from '../../src/engine/open.ts'
import { loadSettings } from '../../src/faces/cli/config.ts'
import { MIGRATIONS } from '../../src/store/sql/migrations/migrate.ts'
import { eventually, type TestSession, testSession, textOf } from '../support/carrel-session.ts'
import { ADA, scriptedAgent } from '../support/carrel-world.ts'
import { createDatabase } from '../support/database.ts'
import { ENGINES, type EngineName, fixtureName, layDown, moveTree, type OldData } from '../support/old-data.ts'
import { readFacts, type Verbs } from '../support/old-facts.ts'
import { expectWhole } from './carrel-runs.ts'
import { digestOf, digestStep } from './carrel-secrets.ts'

const at = { workspace: 'default' } as const
/** One fixture of each schema, and the last data before public names changed, with a backup. */
const FIXTURES = [...MIGRATIONS.map((_, index) => fixtureName(index + 1)), fixtureName(10, '-names')].toSorted()
/** Schemas whose sessions continue in each run of the tests; sessions of the others do so in long runs. */
const GOES_ON: readonly number[] = [1, 5, MIGRATIONS.length]
/** The first schema with each thing. */
const SINCE = { files: 4, secrets: 5, environments: 6, ports: 8 } as const

interface Opened {
  readonly old: OldData
  readonly carrel: Carrel
  /** Names of the Spaces that no machine had, and that a person has adopted. */
  readonly adopted: readonly string[]
  session(name: string): Promise<TestSession>
  /** Restores the old backup into a new folder and opens it; null where its database is elsewhere. */
  restored(): Promise<Carrel | null>
  /** Stops cleanly, and starts again with due runs. */
  goOn(): Promise<void>
  close(): Promise<void>
}

/** Opens old data without running anything, so that the data stays unchanged. */
async function openOld(fixture: string, name: EngineName): Promise<Opened | { skipped: string }> {
  const database = name === 'postgres' ? await createDatabase() : null
  if (database && 'skipped' in database) return database
  const databaseUrl = database?.url ?? null
  const old = await layDown(fixture, name, databaseUrl)
  const { dataFolder, env, root } = old
  const agents = [scriptedAgent('apart', { home: 'own', passEnv: [] })]
  // The fixture is the copy; U2 has its own tests of Carrel's copies.
  const upgradeCopy = databaseUrl ? 'made' : 'make'
  const settings = {
    logLevel: 'silent',
    outliveMs: 0,
    historyWaitMs: 60_000,
    upgradeCopy,
    agents,
    databaseUrl,
  } as const
  const open = (runsAtOnce: number) =>
    openEngine({ ...settings, dataFolder, runsAtOnce }, { env, home: join(root, 'home') })
  let engine: Engine = await open(0)
  const adopted = await adoptAll(engine.carrelFor(ADA))
  let other: Engine | null = null
  const opened: Opened = {
    old,
    adopted,
    get carrel() {
      return engine.carrelFor(ADA)
    },
    async session(wanted) {
      const { sessions } = await opened.carrel.call('sessions.list', { ...at, limit: 200 })
      const found = sessions.find((each) => each.name === wanted) ?? expect.fail(`There is no session ${wanted}.`)
      const { space } = await opened.carrel.call('spaces.get', { ...at, id: found.space })
      return testSession(opened.carrel, { ...at, id: found.id, space, project: found.project })
    },
    async restored() {
      const into = join(root, 'restored')
      await restoreBackup(join(root, 'backup'), into, () => undefined)
      moveTree(into, root)
      if (databaseUrl) return null
      // A backup leaves out the key of the secrets.
      copyFileSync(join(dataFolder, 'secrets.key'), join(into, 'secrets.key'))
      other = await openEngine({ ...settings, dataFolder: into, runsAtOnce: 0 }, { env, home: join(root, 'home') })
      return other.carrelFor(ADA)
    },
    async goOn() {
      await engine.close()
      engine = await open(100)
    },
    async close() {
      await Promise.all([engine.close(), other?.close()])
      await database?.drop()
      old.remove()
    },
  }
  return opened
}

/** Adopts, as a person, the Spaces that no machine has: without a history nothing tells which folder was meant. */
async function adoptAll(carrel: Carrel): Promise<string[]> {
  const adopted: string[] = []
  for (const { id: workspace } of (await carrel.call('workspaces.list', {})).workspaces)
    for (const { id, name, machine } of (await carrel.call('spaces.list', { workspace, archived: true })).spaces) {
      if (machine !== null) continue
      await carrel.call('spaces.adopt', { workspace, id, confirm: true })
      adopted.push(name)
    }
  return adopted
}

describe.each(ENGINES)('data on %s', (engine) => {
  describe.each(FIXTURES)('of schema %s', (fixture) => {
    const schema = Number.parseInt(fixture, 10)
    const knew = (what: keyof typeof SINCE) => schema >= SINCE[what]
    let world: Opened | { skipped: string }
    const itHolds = (sentence: string, check: (opened: Opened) => void | Promise<void>, tags: string[] = []) =>
      it(`U3: ${sentence}`, { tags }, async (context) => {
        if ('skipped' in world) return context.skip(world.skipped)
        await check(world)
      })

    beforeAll(async () => {
      world = await openOld(fixture, engine)
    })

    afterAll(async () => {
      if (world && 'old' in world) await world.close()
    })

    const tags = GOES_ON.includes(schema) ? [] : ['long']
    const ofAll: typeof itHolds = (sentence, check) => itHolds(sentence, check, engine === 'sqlite' ? [] : tags)
    const goingOn: typeof itHolds = (sentence, check) => itHolds(sentence, check, tags)
    ofAll('all is there that was there, and logs have the same words', expectAll)
    ofAll('every setting of then is read', expectSettings)
    ofAll('its Spaces are on this machine where it has their history; a person is asked about the others', (opened) => {
      expect(opened.adopted.length > 0).toBe(engine === 'postgres' && !knew('files'))
    })
    ofAll('a backup of then is restored and has the same', expectBackup)
    goingOn('questions, queues and runs that were cut off go on', expectToGoOn)
    goingOn('the search finds what was said', expectToBeFound)
    goingOn('a home of then is still that of its session, and goes with it', expectHome)
    if (knew('files')) goingOn('work of then is undone, and places of then are worked in', expectFilesToGoOn)
    if (knew('secrets')) {
      goingOn('old secrets, variables and ports reach a run', async ({ old, session }) => {
        const secrets = await session('Secrets')
        if (knew('environments')) await expectGiven(await session('Ended'))
        const echo = { run: 'echo "$GREETING $PLACE $CARREL_PORT_WEB"' }
        await secrets.run([digestStep('API_TOKEN'), digestStep('SITE_KEY'), echo])
        const printed = JSON.stringify(await secrets.log())
        expect(printed).toContain(digestOf('fixture-value-of-the-token'))
        expect(printed).toContain(digestOf('fixture-value-of-the-key'))
        const port = old.expected.workspaces[0]?.ports?.[0]?.port
        if (knew('environments')) expect(await lastTool(secrets)).toContain(`hello site ${knew('ports') ? port : ''}`)
      })
    }
  })
})

async function expectAll({ old, carrel }: Opened): Promise<void> {
  const has = (verb: string) => verb in operations
  expect(await readFacts(carrel as unknown as Verbs, has, old.root)).toMatchObject(old.expected)
  const logs: Record<string, string> = {}
  for (const archived of [false, true]) {
    const { sessions } = await carrel.call('sessions.list', { ...at, limit: 200, archived })
    for (const { id, name } of sessions) {
      logs[name] = (await carrel.call('sessions.export', { ...at, id, as: 'jsonl' })).text
    }
  }
  expect(logs).toEqual(old.logs)
}

function expectSettings({ old }: Opened): void {
  const flags = { dataFolder: old.dataFolder }
  const { config } = loadSettings({ flags, env: {}, cwd: old.root, platform: 'linux' })
  const apart = { id: 'apart', home: 'own', args: ['--acp'] }
  expect(config).toMatchObject({ defaultAgent: 'scripted', parkAfterMs: 1_234, agents: [apart] })
}

/** Checks a backup. With Postgres it has the files only, hence digests and settings. */
async function expectBackup({ old, restored }: Opened): Promise<void> {
  if (!existsSync(join(old.root, 'backup'))) return
  const carrel = await restored()
  if (carrel === null) return
  const has = (verb: string) => verb in operations
  const facts = await readFacts(carrel as unknown as Verbs, has, old.root)
  const { workspaces } = JSON.parse(JSON.stringify(facts).replaceAll('/restored/', '/data/'))
  expect(workspaces).toMatchObject(old.expected.workspaces)
}

async function expectToGoOn({ session, goOn }: Opened): Promise<void> {
  await goOn()
  const [question, behind] = [await session('Question'), await session('Behind')]
  const [queued, cut] = [await session('Queued'), await session('Cut off')]
  const { interactions } = await behind.carrel.call('interactions.list', { ...at, state: 'open' })
  for (const { id, question } of interactions) {
    await behind.answer(id, question.options[0]?.id ?? '')
  }
  const ends = [question, queued, cut].map(async (each) => (await each.until('run.ended')).data.outcome)
  expect(await Promise.all(ends)).toEqual(['completed', 'completed', 'lost'])
  await behind.until('run.ended', undefined, (await behind.until('run.ended')).seq)
  expect(textOf(await question.items())).toContain('The door is a thing of the past.')
  expect(textOf(await behind.items())).toMatch(/Opened\.[\s\S]*The second in the queue\./)
  expect(textOf(await queued.items())).toBe('The queue kept me.')
  expect(textOf(await cut.items())).toBe('Half of a ')
  expect(await cut.run([{ say: 'whole' }])).toMatchObject({ outcome: 'completed' })
  await expectWhole(question)
  await expectWhole(cut)
}

/** Waits for the search: folds of an earlier version are made again one after the other. */
async function expectToBeFound({ carrel }: Opened): Promise<void> {
  for (const [name, text] of Object.entries({ Ended: 'lighthouse ships', Archived: 'cormorant', Failed: 'failure' })) {
    await eventually(`${text} is found`, async () => {
      const { hits } = await carrel.call('search.items', { ...at, text })
      return hits.some(({ sessionName }) => sessionName === name)
    })
  }
}

async function expectHome({ old, carrel, session }: Opened): Promise<void> {
  const apart = await session('Apart')
  const { preview } = await carrel.call('sessions.delete', { ...at, id: apart.id })
  expect(preview.folders.map((folder) => folder.replace(old.dataFolder, ''))).toEqual([
    expect.stringMatching(/^\/homes\/apart-/),
  ])
  await apart.run([{ run: 'cat "$HOME/kept.txt"' }])
  expect(await lastTool(apart)).toContain('kept at home')
}

async function expectFilesToGoOn({ carrel, session }: Opened): Promise<void> {
  const history = await session('History')
  const [run = expect.fail('there is no run')] = await history.runs()
  const placed = { ...at, project: history.project }
  const request = { kind: 'undo' as const, of: { kind: 'run' as const, run: run.id } }
  const { digest } = await carrel.call('plans.make', { ...placed, request })
  await carrel.call('plans.apply', { ...placed, request, digest })
  expect(readFileSync(history.path('plan.md'), 'utf8')).toBe('first\n')
  expect(existsSync(history.path('kept.md'))).toBe(false)
  const [branch, copy] = [await session('Branch'), await session('Copy')]
  await Promise.all([branch, copy].map((each) => each.run([{ run: 'cat branch.md copy.md' }])))
  expect(await lastTool(branch)).toContain('only on the branch')
  expect(await lastTool(copy)).toContain('only in the copy')
}

/** Checks that the folder of an old run is still reported. */
async function expectGiven(session: TestSession): Promise<void> {
  const [run = expect.fail('there is no run')] = await session.runs()
  const { env } = await session.carrel.call('runs.environment', { ...at, id: run.id })
  expect(env).toContainEqual({ name: 'GREETING', from: 'workspace', value: 'hello' })
}

const lastTool = async (session: TestSession) =>
  JSON.stringify((await session.items()).findLast(({ kind }) => kind === 'tool'))
