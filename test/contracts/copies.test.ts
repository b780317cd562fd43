import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type OperationName, operations } from '../../src/api/index.ts'
import type { Overrides } from '../../src/engine/open.ts'
import { writeBinding } from '../../src/host/identity/binding.ts'
import type { Config } from '../../src/model/settings/config.ts'
import type { TestSession } from '../support/carrel-session.ts'
import { makeTestFolder, openWorld, type TestFolder, type World } from '../support/carrel-world.ts'
import { createDatabase } from '../support/database.ts'
import { ENGINES, type EngineName } from '../support/old-data.ts'
import { makeOldPostgres } from '../support/old-database.ts'

const HERE = { workspace: 'default' } as const

async function settingsOf(engine: EngineName, skip: (why: string) => void): Promise<Partial<Config>> {
  if (engine === 'sqlite') return {}
  const database = await createDatabase()
  if ('skipped' in database) {
    skip(database.skipped)
    return {}
  }
  onTestFinished(database.drop)
  return { databaseUrl: database.url }
}

const copyOf = (folder: TestFolder): TestFolder => {
  const dataFolder = join(folder.root, 'copy')
  execFileSync('cp', ['-a', folder.dataFolder, dataFolder])
  return { ...folder, dataFolder }
}

const pausedIn = async ({ carrel }: Pick<World, 'carrel'>) => (await carrel.call('server.status', {})).paused
const logs = (sessions: readonly TestSession[]) => Promise.all(sessions.map((session) => session.log()))
const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'done',
    (error) => error.code,
  )

/** Two sessions in one folder: one has a queued prompt that writes a file, the other an open question. */
async function busySessions(world: World) {
  const queue = await world.session()
  const first = await queue.prompt([{ gate: 'first' }])
  await queue.until('run.started')
  const waits = await queue.prompt([{ gate: 'go' }, { run: 'echo once >> twice.txt' }])
  const asks = await world.session({ beside: queue })
  await asks.prompt([{ write: 'asked.txt', content: 'x', ask: true }])
  const { data } = await asks.until('interaction.opened')
  return { queue, asks, first: first.prompt, waits: waits.prompt, question: data.interaction }
}

/** Calls each operation with no input of use. Returns the names of those that a pause refuses. */
async function refusedIn({ carrel }: World): Promise<string[]> {
  const refused: string[] = []
  for (const name of Object.keys(operations) as OperationName[])
    if ((await codeOf(carrel.call(name, HERE as never))) === 'paused') refused.push(name)
  return refused
}

/** Everything but reading; a look at a working copy mounts it. */
const REFUSED = Object.entries(operations).flatMap(([name, { http }]) =>
  (http[0] === 'GET' && name !== 'places.previewRemoval') || name === 'server.unpause' ? [] : [name],
)

describe.each(ENGINES)('S7: two copies of one data folder, on %s', (engine) => {
  it('a copy only reads until a person lets it go on; then the first one is paused', async ({ skip }) => {
    const settings = await settingsOf(engine, skip)
    const first = await openWorld(settings)
    const { queue, asks, waits, question } = await busySessions(first)
    await first.engine.close()

    const folder = copyOf(first)
    let copy = await openWorld(settings, { now: () => Date.now() + 1e10 }, folder)
    expect(await pausedIn(copy)).toMatchObject({
      why: 'copied',
      other: first.dataFolder,
      waiting: { prompts: 1, runs: 1, questions: 1 },
    })
    const before = await logs([queue.through(copy.carrel), asks.through(copy.carrel)])
    expect(await refusedIn(copy)).toEqual(REFUSED)
    const history = { ...HERE, project: queue.project }
    expect((await copy.carrel.call('history.changes', history)).changes).toEqual([])
    await expect(queue.through(copy.carrel).prompt('more')).rejects.toMatchObject({
      code: 'paused',
      message: expect.stringMatching(/is a copy of .*`carrel unpause`/),
    })
    expect(await codeOf(asks.through(copy.carrel).answer(question, 'allow-once'))).toBe('paused')
    const agent = copy.as({ name: 'agent', kind: 'program', face: 'mcp', workspaces: null })
    expect(await codeOf(agent.call('server.unpause', { confirm: true }))).toBe('forbidden')
    expect(await copy.carrel.call('server.unpause', {})).toMatchObject({ goesOn: false, replaced: null })
    await copy.engine.close()
    // Nothing had begun: whatever works at the close is in the log after it.
    copy = await openWorld(settings, {}, folder)
    expect(await logs([queue.through(copy.carrel), asks.through(copy.carrel)])).toEqual(before)

    await first.restart()
    await queue.through(first.carrel).until('run.started', ({ seq }) => seq > (before[0]?.length ?? 0))
    await expect(copy.carrel.call('server.unpause', { confirm: true })).rejects.toMatchObject({
      code: 'busy',
      message: expect.stringContaining(`${first.dataFolder} is in use by process ${process.pid}`),
    })
    expect(await pausedIn(copy)).not.toBeNull()
    if (engine === 'postgres') {
      // On another machine the first one is not seen: only the database hears of it.
      renameSync(first.dataFolder, `${first.dataFolder}-away`)
      await expect(copy.carrel.call('server.unpause', { confirm: true })).rejects.toMatchObject({
        code: 'busy',
        message: expect.stringContaining('works on the same database'),
      })
      renameSync(`${first.dataFolder}-away`, first.dataFolder)
      // Both share the database: the copy took no lease from the first one.
      queue.open('go')
      expect((await queue.through(first.carrel).endOf(waits)).data.outcome).toBe('completed')
    }
    await first.engine.close()

    expect(await copy.carrel.call('server.unpause', { confirm: true })).toMatchObject({
      paused: { why: 'copied' },
      goesOn: true,
      replaced: first.dataFolder,
    })
    queue.open('go')
    const there = queue.through(copy.carrel)
    expect((await there.endOf(waits)).data.outcome).toBe('completed')
    expect(readFileSync(queue.path('twice.txt'), 'utf8')).toBe('once\n')
    await asks.through(copy.carrel).answer(question, 'allow-once')
    await asks.through(copy.carrel).until('run.ended')
    expect((await copy.carrel.call('history.changes', history)).changes).not.toEqual([])
    expect(await copy.carrel.call('server.unpause', { confirm: true })).toMatchObject({ paused: null, goesOn: true })
    await copy.engine.close()
    await first.restart()
    expect(await pausedIn(first)).toMatchObject({ why: 'replaced', other: folder.dataFolder })
    copy = await openWorld(settings, {}, folder)
    expect(await pausedIn(copy)).toBeNull()
  })
})

it('S7: agents that the first server left running are left alone until a copy goes on, and end then; the run says why', async () => {
  const first = await openWorld({ outliveMs: 60_000 })
  const session = await first.session()
  const { prompt } = await session.prompt([{ gate: 'never' }])
  await session.until('run.started')
  await first.engine.close()
  const agents = first.processes()
  expect(agents).not.toEqual([])
  const copy = await openWorld({}, { rejoinsAgents: true }, copyOf(first))
  expect(first.processes()).toEqual(agents)
  await copy.carrel.call('server.unpause', { confirm: true })
  const { data } = await session.through(copy.carrel).endOf(prompt)
  expect(data).toMatchObject({ outcome: 'lost', error: { message: 'The data folder was copied during the run.' } })
  expect(first.processes().filter((pid) => agents.includes(pid))).toEqual([])
})

it('S7: a renamed data folder works on, with the folders of its blank Spaces; on another machine it is paused', async () => {
  const world = await openWorld({}, { machine: 'a' })
  const { space } = await world.carrel.call('spaces.create', { ...HERE, name: 'Blank' })
  await world.engine.close()
  const dataFolder = join(world.root, 'renamed')
  renameSync(world.dataFolder, dataFolder)
  const open = (overrides: Overrides = {}) => openWorld({}, overrides, { ...world, dataFolder })
  const renamed = await open({ machine: 'a' })
  expect(await pausedIn(renamed)).toBeNull()
  const moved = await renamed.carrel.call('spaces.get', { ...HERE, id: space.id })
  expect(moved.space).toMatchObject({ folder: join(dataFolder, 'spaces', space.id), state: 'present' })
  await renamed.engine.close()
  const cloned = await open({ machine: 'b' })
  expect(await pausedIn(cloned)).toMatchObject({ why: 'copied', other: dataFolder })
  expect(existsSync(join(dataFolder, 'binding.json'))).toBe(true)
})

it('S7: a database that was copied alone into another data folder is recognized', async () => {
  const first = await openWorld({ machineName: 'anvil' })
  await first.session()
  await first.engine.close()
  const dataFolder = join(first.root, 'other')
  mkdirSync(dataFolder)
  for (const name of readdirSync(first.dataFolder).filter((each) => each.startsWith('carrel.db')))
    copyFileSync(join(first.dataFolder, name), join(dataFolder, name))
  const other = await openWorld({}, {}, { ...first, dataFolder })
  expect(await pausedIn(other)).toMatchObject({ why: 'database', other: 'anvil' })
  expect(await other.carrel.call('server.unpause', { confirm: true })).toMatchObject({ goesOn: true, replaced: null })
  await other.restart()
  expect(await pausedIn(other)).toBeNull()
})

it('S7: a paused data folder does not upgrade a database that the first one may use', async ({ skip }) => {
  const { databaseUrl } = await settingsOf('postgres', skip)
  if (!databaseUrl) return
  await makeOldPostgres(databaseUrl, 9)
  const folder = makeTestFolder()
  mkdirSync(folder.dataFolder)
  const pause = { why: 'restored', other: '/first', at: 0 } as const
  await writeBinding(folder.dataFolder, { format: 1, bound: null, pause, ended: null })
  const refused = { code: 'paused', message: expect.stringContaining('older schema') }
  await expect(openWorld({ databaseUrl, upgradeCopy: 'made' }, {}, folder)).rejects.toMatchObject(refused)
  // Unchanged: the data is still what a Carrel that works would upgrade.
  rmSync(join(folder.dataFolder, 'binding.json'))
  expect(await pausedIn(await openWorld({ databaseUrl, upgradeCopy: 'made' }, {}, folder))).toBeNull()
})
