import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Carrel } from '../../src/api/index.ts'
import { browserHere } from '../support/browser-setup.ts'
import { killAgents, running, startServer } from '../support/carrel-server.ts'
import { eventually, type TestSession } from '../support/carrel-session.ts'
import { makeTestFolder, openWorld, type TestFolder } from '../support/carrel-world.ts'
import { noSandbox } from '../support/sandbox-setup.ts'

const program = browserHere()
const settings = { browserCommand: program, browsersAtOnce: 2 }
const browse = fileURLToPath(new URL('../support/browse.ts', import.meta.url))

/** A site with logins: `/login?as=ann` logs in, and the title of every page names the user. */
const site = createServer(({ url = '', headers }, answer) => {
  const as = new URL(url, 'http://site').searchParams.get('as')
  const who = as ?? /user=(\w+)/.exec(headers.cookie ?? '')?.[1] ?? 'nobody'
  answer.setHeader('content-type', 'text/html')
  if (as) answer.setHeader('set-cookie', `user=${as}`)
  answer.end(`<title>user:${who}</title>`)
})
let home = ''
beforeAll(async () => {
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
  home = `http://127.0.0.1:${(site.address() as AddressInfo).port}`
})
afterAll(() => void site.close())

const visit = (path: string) => ({ run: `'${process.execPath}' '${browse}' '${home}${path}'` })
const want = (carrel: Carrel, more: object = {}) =>
  carrel.call('environment.set', { workspace: 'default', settings: { browser: 'own', ...more } })
const uses = (carrel: Carrel) => carrel.call('browsers.list', { workspace: 'default' })
const states = async (carrel: Carrel) => (await uses(carrel)).browsers.map(({ state }) => state)
const left = ({ dataFolder }: TestFolder) => readdirSync(join(dataFolder, 'browsers'))
const free = (carrel: Carrel) => eventually('no browser is taken', async () => (await uses(carrel)).taken === 0)
const says = (session: TestSession, word: string) =>
  session.until('agent.update', ({ data }) => JSON.stringify(data.update).includes(`"text":"${word}"`))
const gated = (session: TestSession) => says(session, 'here')
/** The users that visits have seen, in order, without repetitions. */
const users = async (session: TestSession) =>
  JSON.stringify(await session.items())
    .match(/user:\w+/g)
    ?.filter((who, at, all) => who !== all[at - 1])

describe.skipIf(program === null)('browsers of runs', () => {
  it('P8: six runs share two browsers: all get their turn, waiting runs are listed, and nothing is left', {
    tags: ['long'],
  }, async () => {
    const world = await openWorld(settings)
    await want(world.carrel)
    const sessions = await Promise.all(Array.from({ length: 6 }, () => world.session()))
    const step = [{ run: 'echo "$CARREL_BROWSER_URL" > url' }, { gate: 'go' }]
    const prompts = await Promise.all(sessions.map((session) => session.prompt(step)))
    await eventually(
      'two runs have a browser and four wait',
      async () => `${await states(world.carrel)}` === 'ready,ready,waiting,waiting,waiting,waiting',
    )
    const { browsers } = await uses(world.carrel)
    const last = sessions.find(({ id }) => id === browsers.at(-1)?.session)!
    const { data } = await last.until('notice.given')
    expect(data.text).toBe('This run waits for a browser: all 2 are in use, and 3 wait before it.')
    expect(left(world)).toHaveLength(2)
    for (const session of sessions) session.open('go')
    for (const [at, session] of sessions.entries()) {
      expect((await session.endOf(prompts[at]!.prompt)).data).toMatchObject({ outcome: 'completed', error: null })
      expect(left(world).length).toBeLessThanOrEqual(2)
    }
    const urls = sessions.map((session) => readFileSync(session.path('url'), 'utf8').trim())
    expect(new Set(urls).size).toBe(6)
    await free(world.carrel)
    expect(left(world)).toEqual([])
  })

  it('P8: two runs are two users of one site at once, by variable and by tools; the next run starts logged out, in the same process', async () => {
    const world = await openWorld(settings)
    await want(world.carrel)
    const run = async (as: string) => {
      const session = await world.session()
      // One run uses its tools, the other its variable: an MCP server takes a second to start.
      const tool = { mcp: 'browser', tool: 'new_page', arguments: { url: `${home}/who` } }
      const who = as === 'ann' ? tool : visit('/who')
      const { prompt } = await session.prompt([visit(`/login?as=${as}`), { say: 'here' }, { gate: 'go' }, who])
      await gated(session)
      return { session, prompt }
    }
    const both = await Promise.all([run('ann'), run('bob')])
    for (const [at, as] of ['ann', 'bob'].entries()) {
      const { session, prompt } = both[at]!
      session.open('go')
      expect((await session.endOf(prompt)).data.outcome).toBe('completed')
      expect(await users(session)).toEqual([`user:${as}`])
      const last = (await session.items()).findLast(({ kind }) => kind === 'tool')
      expect(JSON.stringify(last)).toContain(as === 'ann' ? `user:ann (${home}/who)` : 'user:bob')
    }
    const { session } = both[0]!
    await session.run([visit('/who')])
    expect(await users(session)).toEqual(['user:ann', 'user:nobody'])
    expect(await session.eventsOf('context.opened')).toHaveLength(1)
    await want(world.carrel, { browser: 'none' })
    await session.run([{ run: 'echo "none:$CARREL_BROWSER_URL."' }])
    expect(JSON.stringify(await session.items())).toContain('none:.')
    expect(await session.eventsOf('context.opened')).toHaveLength(2)
  })

  it('P8: a killed browser is replaced with a notice; a run that crashes or is cancelled releases its browser', {
    tags: ['long'],
  }, async () => {
    const world = await openWorld(settings)
    await want(world.carrel)
    const session = await world.session()
    const steps = [
      visit('/login?as=ann'),
      { say: 'here' },
      { gate: 'go' },
      visit('/who'),
      { say: 'stays' },
      { hang: true },
    ]
    const { prompt } = await session.prompt(steps)
    await gated(session)
    const [keeper = ''] = left(world)
    const note = JSON.parse(readFileSync(join(world.dataFolder, 'browsers', keeper, 'keeper.json'), 'utf8'))
    process.kill(note.agent.identity.pid, 'SIGKILL')
    const { data } = await session.until('notice.given')
    expect(data.text).toMatch(/^The browser of this run ended \(SIGKILL\)\. A new one runs at the same address/)
    expect((await uses(world.carrel)).browsers).toMatchObject([{ state: 'ready', replaced: 1 }])
    session.open('go')
    await says(session, 'stays')
    expect(await users(session)).toEqual(['user:ann', 'user:nobody'])
    await session.carrel.call('sessions.cancel', { workspace: 'default', id: session.id })
    expect((await session.endOf(prompt)).data.outcome).toBe('cancelled')
    await free(world.carrel)
    expect((await session.run([{ crash: true }])).outcome).toBe('failed')
    await free(world.carrel)
    expect(left(world)).toEqual([])
  })

  it('P1, P5: a browser survives its server with its run, and the next start ends browsers that no run rejoins', {
    tags: ['long'],
  }, async () => {
    const testFolder = makeTestFolder()
    const first = await startServer(testFolder, { ...settings, outliveMs: 120_000 })
    await want(first.carrel)
    const before = await first.session()
    const { prompt } = await before.prompt([visit('/login?as=ann'), { say: 'here' }, { gate: 'go' }, visit('/who')])
    await gated(before)
    await first.kill()
    const second = await startServer(testFolder, { ...settings, outliveMs: 120_000 })
    const session = before.through(second.carrel)
    await eventually('the run has its browser again', async () => `${await states(second.carrel)}` === 'ready')
    session.open('go')
    expect((await session.endOf(prompt)).data).toMatchObject({ outcome: 'completed', error: null })
    expect(await users(session)).toEqual(['user:ann'])
    expect(await session.eventsOf('notice.given')).toEqual([])
    await free(second.carrel)
    await session.prompt([{ hang: true }])
    await eventually('the run has a browser', async () => `${await states(second.carrel)}` === 'ready')
    await second.kill()
    killAgents(testFolder)
    const third = await startServer(testFolder, settings)
    expect(left(testFolder)).toEqual([])
    await third.stop()
    await eventually('no process is left', () => running(testFolder).length === 0)
  })
})

it('F8: without its browser a run fails with a readable error, and does not start', async () => {
  const world = await openWorld({ browserCommand: '/nowhere/chromium' })
  await want(world.carrel)
  const session = await world.session()
  const { outcome, error } = await session.run([{ say: 'never' }])
  expect(outcome).toBe('failed')
  expect(error?.message).toMatch(/no program \/nowhere\/chromium.*Install Chromium/)
  expect(await session.eventsOf('run.started')).toEqual([])
})

const why = await noSandbox()
it.skipIf(why !== null)(
  `F8: the sandbox strict refuses the browser of a service with a readable error${why ? ` (skipped: ${why})` : ''}`,
  async () => {
    const world = await openWorld({ browserEndpoint: 'wss://browsers.example/' })
    await want(world.carrel, { sandbox: 'strict' })
    const session = await world.session()
    expect((await session.run([{ say: 'never' }])).error?.message).toMatch(
      /bypass the allowed hosts of the sandbox strict/,
    )
    expect(await session.eventsOf('run.started')).toEqual([])
  },
)
