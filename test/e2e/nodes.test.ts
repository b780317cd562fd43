import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import type { Config } from '../../src/model/settings/config.ts'
import { noDisks, type Server, startServer } from '../support/carrel-server.ts'
import { makeTestFolder, type TestFolder } from '../support/carrel-world.ts'
import { createDatabase } from '../support/database.ts'

const postgres = inject('postgres')
const obstacle = 'skipped' in postgres ? postgres.skipped : noDisks()

if (obstacle !== null) it('N1: nodes have no disk of their own here', ({ skip }) => skip(obstacle))

interface Node extends TestFolder {
  /** The folder that this node alone sees at the path that all nodes know. */
  readonly disk: string
  start(settings?: Partial<Config>): Promise<Server>
}

/** Prepares nodes on one database. Each has a data folder and a disk of its own, and all have the same path on it. */
async function makeNodes<const Names extends readonly string[]>(
  names: Names,
): Promise<{ path: string } & Record<Names[number], Node>> {
  const database = await createDatabase()
  if ('skipped' in database) throw new Error(database.skipped)
  onTestFinished(database.drop)
  const path = makeTestFolder().work('shared')
  const nodes = names.map((name) => {
    const folder = makeTestFolder()
    const disk = folder.work('disk')
    const common = { databaseUrl: database.url, machineName: name, leaseTtlMs: 1_000 }
    const start = (settings: Partial<Config> = {}) =>
      startServer(folder, { ...common, ...settings }, { disk: { from: disk, at: path } })
    return [name, { ...folder, disk, start }] as const
  })
  return { path, ...Object.fromEntries(nodes) } as { path: string } & Record<Names[number], Node>
}

const at = { workspace: 'default' }
const linesOf = (disk: string) => readFileSync(join(disk, 'effects'), 'utf8').trim().split('\n').map(Number)

describe.skipIf(obstacle !== null)('nodes with a disk each', () => {
  /** Sends prompts to one session of `anvil`, through each node in turn, and waits for all runs. */
  async function promptAll(count: number, ofSession: number): Promise<void> {
    const { path, anvil, forge, press } = await makeNodes(['anvil', 'forge', 'press'])
    const servers = [await anvil.start(), await forge.start(), await press.start()] as const
    const first = await servers[0].session({ folder: path })
    const sessions = [first]
    while (sessions.length * ofSession < count) sessions.push(await servers[0].session({ beside: first, folder: path }))
    const asked = sessions.flatMap((session, s) =>
      Array.from({ length: ofSession }, async (_, n) => {
        const server = servers[n % servers.length] ?? servers[0]
        const number = s * ofSession + n
        const { prompt } = await session.through(server.carrel).prompt([{ run: `echo ${number} >> effects` }])
        return (await session.endOf(prompt)).data.outcome
      }),
    )
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['completed']))
    expect(linesOf(anvil.disk).toSorted((a, b) => a - b)).toEqual(asked.map((_, at) => at))
    for (const other of [forge, press]) expect(existsSync(join(other.disk, 'effects'))).toBe(false)
    expect(existsSync(join(path, 'effects'))).toBe(false)
  }

  it('N1: prompts through any node run on the disk of the machine of their Space', () => promptAll(12, 6))

  it('N1: none of 1,000 prompts through three nodes runs on another disk', { tags: ['long'], timeout: 600_000 }, () =>
    promptAll(1_000, 50),
  )

  it('N1, N2: a prompt through another node waits for the machine of its Space, and says so', async () => {
    const { path, anvil, forge } = await makeNodes(['anvil', 'forge'])
    const [here, there] = [await anvil.start(), await forge.start()]
    mkdirSync(join(anvil.disk, 'mine'))
    const session = await here.session({ folder: join(path, 'mine') })
    const theirs = session.through(there.carrel)
    expect((await theirs.run([{ run: 'echo 1 >> effects' }])).outcome).toBe('completed')
    expect((await session.prompt([{ run: 'echo 2 >> effects' }])).waits).toBeNull()
    const { waits, prompt: third } = await theirs.prompt([{ run: 'echo 3 >> effects' }])
    expect(waits).toEqual({ machine: 'anvil', since: null })
    const spacesOf = async ({ carrel }: Server) => (await carrel.call('workspaces.get', at)).spaces
    const head = async () => (await there.carrel.call('workspaces.get', at)).seq
    await theirs.endOf(third)
    const before = await head()
    for (let read = 0; read < 20; read += 1)
      for (const node of [here, there]) expect(await spacesOf(node)).toMatchObject([{ state: 'present' }])
    expect(await head()).toBe(before)
    await here.stop()
    expect(await spacesOf(there)).toMatchObject([{ state: 'away' }])
    const history = there.carrel.call('history.status', { ...at, project: session.project })
    await expect(history).rejects.toThrow(/^anvil is away since \d{4}-.*carrel spaces adopt/)
    const later = await theirs.prompt([{ run: 'echo 4 >> effects' }], { wait: 'started', timeoutMs: 0 })
    expect(later).toMatchObject({
      state: 'accepted',
      run: null,
      waits: { machine: 'anvil', since: expect.any(Number) },
    })
    await anvil.start()
    expect((await theirs.endOf(later.prompt)).data.outcome).toBe('completed')
    expect(linesOf(join(anvil.disk, 'mine'))).toEqual([1, 2, 3, 4])
    expect(existsSync(join(forge.disk, 'mine'))).toBe(false)
  })
})
