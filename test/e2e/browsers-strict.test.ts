import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Carrel } from '../../src/api/index.ts'
import { browserHere } from '../support/browser-setup.ts'
import { running, startServer } from '../support/carrel-server.ts'
import { eventually, type TestSession } from '../support/carrel-session.ts'
import { makeTestFolder, openWorld } from '../support/carrel-world.ts'
import { noSandbox } from '../support/sandbox-setup.ts'

const program = browserHere()
const why = await noSandbox()
const settings = { browserCommand: program, browsersAtOnce: 2 }
const browse = fileURLToPath(new URL('../support/browse.ts', import.meta.url))

/** A site with logins on the list of allowed hosts, and one that is on no list. */
const allowed = createServer(({ url = '', headers }, answer) => {
  const as = new URL(url, 'http://site').searchParams.get('as')
  answer.setHeader('content-type', 'text/html')
  if (as) answer.setHeader('set-cookie', `user=${as}`)
  answer.end(`<title>user:${as ?? /user=(\w+)/.exec(headers.cookie ?? '')?.[1] ?? 'nobody'}</title>`)
})
let requests = 0
const forbidden = createServer((_incoming, answer) => {
  requests += 1
  answer.end('<title>user:forbidden</title>')
})
const portOf = (server: typeof allowed) => (server.address() as AddressInfo).port
beforeAll(async () => {
  for (const server of [allowed, forbidden])
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(() => {
  for (const server of [allowed, forbidden]) server.close()
})

const at = (server: typeof allowed, path: string) => `http://127.0.0.1:${portOf(server)}${path}`
const visit = (url: string) => ({ run: `'${process.execPath}' '${browse}' '${url}'` })
const tool = (url: string) => ({ mcp: 'browser', tool: 'new_page', arguments: { url } })
const want = (carrel: Carrel) =>
  carrel.call('environment.set', {
    workspace: 'default',
    settings: { browser: 'own', sandbox: 'strict', hosts: [`127.0.0.1:${portOf(allowed)}`] },
  })
const states = async (carrel: Carrel) =>
  (await carrel.call('browsers.list', { workspace: 'default' })).browsers.map(({ state }) => state)
const says = (session: TestSession, word: string) =>
  session.until('agent.update', ({ data }) => JSON.stringify(data.update).includes(`"text":"${word}"`))
const users = async (session: TestSession) => JSON.stringify(await session.items()).match(/user:\w+/g)
/** Reports whether the address in the file `peer` answers, and how many processes of browsers are visible. */
const INSPECT = [
  `'${process.execPath}' -e 'fetch(process.argv[1] + "/json/version").then(() => console.log("met"), () => console.log("alone"))' "$(cat peer)" > looked`,
  `cat /proc/[0-9]*/cmdline | tr '\\0' '\\n' | grep -ac '[u]ser-data-dir' >> looked`,
  'ls -A /run/carrel-door >> looked',
  'echo done >> looked',
].join('; ')

describe.skipIf(program === null || why !== null)(`browsers in strict${why ? ` (skipped: ${why})` : ''}`, () => {
  it('P8, B4: an agent uses its own browser, which reaches allowed hosts only; other agents find no trace of it', {
    tags: ['long'],
  }, async () => {
    const world = await openWorld(settings)
    await want(world.carrel)
    const run = async (as: string) => {
      const session = await world.session()
      const begins = [visit(at(allowed, `/login?as=${as}`)), { run: 'echo "$CARREL_BROWSER_URL" > url' }]
      const goesOn = [tool(at(allowed, '/who')), visit(at(forbidden, '/')), { run: INSPECT }]
      const { prompt } = await session.prompt([...begins, { say: 'here' }, { gate: 'go' }, ...goesOn])
      await says(session, 'here')
      return { session, prompt, as, url: readFileSync(session.path('url'), 'utf8').trim() }
    }
    const both = [await run('ann'), await run('bob')] as const
    for (const [n, { session, prompt, as, url }] of both.entries()) {
      await expect(fetch(`${url}/json/version`)).rejects.toThrow()
      writeFileSync(session.path('peer'), both[1 - n]?.url ?? '')
      session.open('go')
      expect((await session.endOf(prompt)).data).toMatchObject({ outcome: 'completed', error: null })
      expect(new Set(await users(session))).toEqual(new Set([`user:${as}`]))
      expect(JSON.stringify(await session.items())).toContain(`user:${as} (${at(allowed, '/who')})`)
      expect(readFileSync(session.path('looked'), 'utf8')).toBe('alone\n0\nbrowser\ndone\n')
      const notices = (await session.eventsOf('notice.given')).map(({ data }) => data.text)
      expect(notices).toEqual([
        expect.stringContaining(`blocked the browser of this run from 127.0.0.1:${portOf(forbidden)}.`),
      ])
    }
    expect(both[0].url).not.toBe(both[1].url)
    expect(requests).toBe(0)
    const { session } = both[0]
    await session.run([visit(at(allowed, '/who'))])
    expect((await users(session))?.at(-1)).toBe('user:nobody')
    expect(await session.eventsOf('context.opened')).toHaveLength(1)
    await eventually(
      'no file of the browser is left',
      () => readdirSync(join(world.dataFolder, 'browsers')).length === 0,
    )
  })

  it('P1, P5: a browser survives its server, and its replacement uses the same door', { tags: ['long'] }, async () => {
    const ground = makeTestFolder()
    const first = await startServer(ground, { ...settings, outliveMs: 120_000 })
    await want(first.carrel)
    const before = await first.session()
    const who = visit(at(allowed, '/who'))
    const steps = [visit(at(allowed, '/login?as=ann')), { say: 'here' }, { gate: 'go' }, who, { say: 'again' }]
    const { prompt } = await before.prompt([...steps, { gate: 'on' }, who])
    await says(before, 'here')
    await first.kill()
    const second = await startServer(ground, { ...settings, outliveMs: 120_000 })
    const session = before.through(second.carrel)
    await eventually('the run has its browser again', async () => `${await states(second.carrel)}` === 'ready')
    session.open('go')
    await says(session, 'again')
    expect(new Set(await users(session))).toEqual(new Set(['user:ann']))
    const [keeper = ''] = readdirSync(join(ground.dataFolder, 'browsers'))
    const note = JSON.parse(readFileSync(join(ground.dataFolder, 'browsers', keeper, 'keeper.json'), 'utf8'))
    process.kill(note.agent.identity.pid, 'SIGKILL')
    expect((await session.until('notice.given')).data.text).toContain('A new one runs at the same address')
    session.open('on')
    expect((await session.endOf(prompt)).data).toMatchObject({ outcome: 'completed', error: null })
    expect((await users(session))?.at(-1)).toBe('user:nobody')
    await second.stop()
    await eventually('no process is left', () => running(ground).length === 0)
  })
})
