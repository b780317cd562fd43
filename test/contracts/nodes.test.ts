import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest'
import { type Carrel, type OperationName, operations } from '../../src/api/index.ts'
import { type HttpServer, serveHttp } from '../../src/faces/http/http.ts'
import { eventually, type TestSession } from '../support/carrel-session.ts'
import { type AtEnd, makeTestFolder, openWorld, type World } from '../support/carrel-world.ts'
import { openCliWorld } from '../support/cli-world.ts'
import { createDatabase } from '../support/database.ts'
import { ASKED, type Ids, OF_DATABASE, OF_NODE, ofRun, workspace } from './asked-operations.ts'

const NAMES = Object.keys(operations) as OperationName[]
const isRead = (name: OperationName): boolean => operations[name].http[0] === 'GET'
const atMachine = NAMES.filter((name) => operations[name].at === 'machine')
const fromDatabase = NAMES.filter((name) => !atMachine.includes(name) && !OF_NODE.includes(name) && isRead(name))

it('N2: each operation is of a machine, of the node that answers, or of the database', () => {
  const others = NAMES.filter((name) => !atMachine.includes(name) && !OF_NODE.includes(name) && !isRead(name))
  expect(others.toSorted()).toEqual(OF_DATABASE.toSorted())
  expect(OF_NODE.filter((name) => atMachine.includes(name))).toEqual([])
})

const server = inject('postgres')

if ('skipped' in server) it('N2: two nodes have no Postgres here', ({ skip }) => skip(server.skipped))

describe.skipIf('skipped' in server)('two nodes', () => {
  const endings: Parameters<AtEnd>[0][] = []
  let [anvil, forge] = [null, null] as unknown as [World, World]
  let ids = null as unknown as Ids
  let url = ''

  beforeAll(async () => {
    const atEnd: AtEnd = (ending) => void endings.push(ending)
    const database = await createDatabase()
    if ('skipped' in database) throw new Error(database.skipped)
    atEnd(database.drop)
    url = database.url
    const open = (machineName: string) =>
      openWorld({ databaseUrl: url, machineName, leaseTtlMs: 5_000 }, {}, makeTestFolder({}, atEnd), atEnd)
    anvil = await open('anvil')
    forge = await open('forge')
    const session = await anvil.session()
    writeFileSync(join(session.folder, 'kept'), 'by a person\n')
    await anvil.carrel.call('environment.set', { workspace, settings: { ports: ['web'] } })
    await session.run([{ run: 'echo effects > effects' }])
    const [run] = await session.runs()
    const { ports } = await anvil.carrel.call('ports.list', { workspace })
    ids = { session, run: run?.id ?? '', preview: ports[0]?.preview ?? '' }
  }, 60_000)
  afterAll(async () => {
    for (const ending of endings.toReversed()) await ending()
  })

  const ask = (carrel: Carrel, name: OperationName) =>
    (carrel as { call(name: string, input: unknown): Promise<unknown> }).call(name, ASKED[name](ids as never))
  /** The answer, or the code of the error. */
  const answerOf = (carrel: Carrel, name: OperationName) =>
    ask(carrel, name).catch((thrown: { code: string }) => ({ code: thrown.code }))

  it.each(atMachine)('N2: %s elsewhere is unavailable and names the machine', async (name) => {
    await expect(ask(forge.carrel, name)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('the machine anvil'),
      data: { space: ids.session.space.id, machine: 'anvil', since: null },
    })
  })

  it('N2: a read from the database is the same through both nodes', async () => {
    for (const name of fromDatabase)
      expect([name, await answerOf(forge.carrel, name)]).toEqual([name, await answerOf(anvil.carrel, name)])
  })

  it('N1: a conversation that lacks a turn of another machine is not gone on with', async () => {
    const session = await anvil.session()
    // A session that has just ended a run is held until it rests.
    const adopt = (world: World) =>
      eventually('the Space is adopted', async () => {
        const asked = { workspace, id: session.space.id, confirm: true }
        const adopted = await world.carrel.call('spaces.adopt', asked).catch((thrown: object) => thrown)
        return 'adopted' in adopted
      })
    await session.run([{ say: 'one' }])
    await adopt(forge)
    await session.run([{ say: 'two' }])
    await session.run([{ say: 'three' }])
    await adopt(anvil)
    await session.run([{ say: 'four' }])
    await session.run([{ say: 'five' }])
    const opened = (await session.eventsOf('context.opened')).map(({ data }) => data)
    expect(opened.map(({ how }) => how)).toEqual(['new', 'primed', 'primed'])
    expect(new Set(opened.map(({ machine }) => machine)).size).toBe(2)
    const memory = readFileSync(join(anvil.root, 'memory', `${opened[2]?.acpSession}.json`), 'utf8')
    for (const turn of ['one', 'two', 'three', 'five']) expect(memory).toContain(turn)
  })

  it('N2: a picture of a browser elsewhere is unavailable and names the machine', async () => {
    const caller = { name: 'ada', kind: 'person', face: 'web', workspaces: null } as const
    const sights = forge.engine.watchBrowser(caller, ofRun(ids), new AbortController().signal)
    await expect(sights.next()).rejects.toMatchObject({ code: 'unavailable', data: { machine: 'anvil' } })
  })

  it('N1: a Space from before machines goes to the one with its folder and its history, else a person is asked', async () => {
    const [known, unknown] = [await anvil.session(), await anvil.session()]
    await known.run([{ run: 'echo 1 > effects' }])
    await everythingAtRest(url)
    const place = async ({ space }: TestSession) =>
      (await forge.carrel.call('spaces.list', { workspace })).spaces.find(({ id }) => id === space.id)
    const name = async (session: TestSession) => (await place(session))?.machine ?? null
    const machine = await name(known)
    await anvil.engine.close()
    for (const { space } of [known, unknown]) {
      await query(url, `update spaces set machine = '' where id = '${space.id}'`)
      await query(url, `update sessions set machine = '' where space = '${space.id}'`)
    }
    await forge.restart()
    // Both folders are here too, and no history of them.
    expect([await place(known), await place(unknown)]).toMatchObject([
      { machine: null, state: 'away' },
      { machine: null, state: 'away' },
    ])
    const theirs = unknown.through(forge.carrel)
    const waiting = await theirs.prompt([{ say: 'adopted' }])
    expect(waiting.waits).toEqual({ machine: null, since: null })
    await anvil.restart()
    expect(await name(known)).toBe(machine)
    expect(await name(unknown)).toBeNull()
    expect((await known.through(forge.carrel).run([{ say: 'on' }])).outcome).toBe('completed')
    // A person says it, once.
    const asked = { workspace, id: unknown.space.id }
    const looked = await forge.carrel.call('spaces.adopt', asked)
    expect(looked).toMatchObject({
      adopted: false,
      missing: expect.arrayContaining([expect.stringMatching(/history/)]),
    })
    expect(await name(unknown)).toBeNull()
    const { adopted, space } = await forge.carrel.call('spaces.adopt', { ...asked, confirm: true })
    expect(adopted).toBe(true)
    expect((await theirs.endOf(waiting.prompt)).data.outcome).toBe('completed')
    await anvil.restart()
    expect(await name(unknown)).toBe(space.machine)
  })

  it('N1: an adoption lists what will be missing, and is refused without the folder', async () => {
    const session = await anvil.session()
    await session.run([{ run: 'echo 1 > effects' }])
    await everythingAtRest(url)
    const asked = { workspace, id: session.space.id }
    const { missing } = await forge.carrel.call('spaces.adopt', asked)
    const ports = (await anvil.carrel.call('ports.list', { workspace, project: session.project })).ports
    expect(missing).toEqual([
      expect.stringContaining('history of its files'),
      expect.stringContaining('Homes and conversations'),
      `Programs at its ports ${ports[0]?.port} (web).`,
    ])
    renameSync(session.folder, `${session.folder}-moved`)
    const refused = forge.carrel.call('spaces.adopt', { ...asked, confirm: true })
    await expect(refused).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(`${session.folder} does not exist on this machine (forge)`),
    })
    await query(url, `update machines set left_at = 1 where name = 'anvil'`)
    const alone = await forge.carrel.call('spaces.adopt', asked)
    await query(url, `update machines set left_at = null where name = 'anvil'`)
    expect(alone.missing[0]).toContain(`Its folder ${session.folder}`)
    renameSync(`${session.folder}-moved`, session.folder)
    expect(await anvil.carrel.call('spaces.adopt', { ...asked, confirm: true })).toMatchObject({ missing: [] })
  })

  describe('one login for all nodes', () => {
    let [here, there] = [null, null] as unknown as [HttpServer, HttpServer]
    beforeAll(async () => {
      const serve = async ({ engine }: World) => {
        const http = await serveHttp(engine, { host: '127.0.0.1', port: 0, version: 'test', webFolder: null })
        endings.push(() => http.close())
        return http
      }
      here = await serve(anvil)
      there = await serve(forge)
    })
    const statusAt = async ({ url }: HttpServer, headers: Record<string, string>) =>
      (await fetch(`${url}/api/v1/workspaces`, { headers })).status
    const cookieOf = async ({ loginUrl }: HttpServer) => {
      const login = await fetch(loginUrl, { redirect: 'manual' })
      return login.headers.getSetCookie()[0]?.split(';')[0] ?? expect.fail('there is no cookie')
    }

    it('B2: the token of each node is valid at each other one, and no other text is', async () => {
      for (const server of [here, there])
        for (const { engine } of [anvil, forge])
          expect(await statusAt(server, { authorization: `Bearer ${engine.token}` })).toBe(200)
      const wrong = `${anvil.engine.token.slice(0, -1)}${anvil.engine.token.endsWith('A') ? 'B' : 'A'}`
      expect(await statusAt(there, { authorization: `Bearer ${wrong}` })).toBe(401)
      const { rows } = await query(url, 'select * from machines')
      for (const { engine } of [anvil, forge]) expect(JSON.stringify(rows)).not.toContain(engine.token)
    })

    it('N2: commands name the machine that has a Space, and adopt it', async () => {
      const cli = openCliWorld()
      onTestFinished(() => cli.close())
      const session = await anvil.session()
      const on = ['--url', there.url, '--token', anvil.engine.token]
      const carrel = (...args: string[]) => cli.carrel([...args, ...on])
      const run = await carrel('run', '--session', session.id, '--wait', 'accepted', '@@do [] @@end')
      expect(run).toMatchObject({ exit: 0, stderr: expect.stringContaining('waits for the machine anvil') })
      const history = await carrel('history', '--project', session.project)
      expect(history).toMatchObject({ exit: 69, stderr: expect.stringContaining('is on the machine anvil') })
      expect((await carrel('machines')).stdout).toMatch(/anvil +ready[\s\S]*forge \* +ready/)
      const looked = await carrel('spaces', 'adopt', session.space.id)
      expect(looked.stdout).toContain('The history of its files')
      expect(looked.stderr).toContain('--yes')
      await everythingAtRest(url)
      const adopted = await carrel('spaces', 'adopt', session.space.id, '--yes')
      expect(adopted).toMatchObject({ exit: 0, stdout: expect.stringContaining('is on this machine now') })
    })

    it('B2: a login at one node is one at the other, also when the first is gone; a forged one is not', async () => {
      const cookie = await cookieOf(here)
      for (const server of [here, there]) expect(await statusAt(server, { cookie })).toBe(200)
      const [name, value = ''] = cookie.split('=')
      const [ends, machine, signature = ''] = value.split('.')
      const own = (await cookieOf(there)).split('=')[1]?.split('.') ?? []
      const forged = [
        `${Number(ends) + 1}.${machine}.${signature}`,
        `${ends}.${own[1]}.${signature}`,
        `${own[0]}.${machine}.${own[2]}`,
        `${ends}.nobody.${signature}`,
      ]
      for (const each of forged) expect(await statusAt(there, { cookie: `${name}=${each}` })).toBe(401)
      const out = await fetch(`${there.url}/logout`, { method: 'POST', headers: { cookie } })
      expect(out.headers.getSetCookie().some((each) => each.startsWith(`${name}=;`))).toBe(true)
      await here.close()
      expect(await statusAt(there, { cookie })).toBe(200)
    })
  })

  it('N2: reads through any node write nothing', async () => {
    // A crash between an act and its notes, and a new start: the notes are still to be written.
    const placed = { workspace, project: ids.session.project }
    const request = { kind: 'undo', of: { kind: 'run', run: ids.run as never } } as const
    const { digest } = await anvil.carrel.call('plans.make', { ...placed, request })
    await anvil.carrel.call('plans.apply', { ...placed, request, digest })
    await query(url, 'delete from acts_noted')
    await anvil.restart()
    const before = await everythingAtRest(url)
    for (let round = 0; round < 10; round += 1)
      for (const name of NAMES.filter(isRead))
        if (name !== 'server.doctor' || round === 0)
          await Promise.all([answerOf(anvil.carrel, name), answerOf(forge.carrel, name)])
    expect(await everything(url)).toEqual(before)
    await anvil.carrel.call('plans.make', { ...placed, request })
    expect((await query(url, 'select * from acts_noted')).rows).toHaveLength(1)
  })
})

/** Waits until no session is held and a second look finds the same. */
async function everythingAtRest(url: string): Promise<Record<string, string>> {
  let last: Record<string, string> = {}
  await eventually('all sessions rest', async () => {
    const before = last
    last = await everything(url)
    return last.held === '0' && isDeepStrictEqual(before, last)
  })
  return last
}

async function query(url: string, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await client.query(text)
  } finally {
    await client.end()
  }
}

/** Digests of all tables, but of the machines, which say again and again that they are there. */
async function everything(url: string): Promise<Record<string, string>> {
  const tables = await query(
    url,
    `select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
     and relname <> 'machines' order by 1`,
  )
  const held = `select (select count(*) from sessions where due = 1) + (select count(*) from leases where holder <> '') as n`
  const digests: Record<string, string> = { held: (await query(url, held)).rows[0].n }
  for (const { name } of tables.rows) {
    const text = `select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) as digest from ${name} t`
    digests[name] = (await query(url, text)).rows[0].digest
  }
  return digests
}
