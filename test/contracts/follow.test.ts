import { createParser } from 'eventsource-parser'
import { afterEach, expect, it } from 'vitest'
import type { Followed, FollowTarget } from '../../src/api/index.ts'
import { type Client, connect } from '../../src/client/client.ts'
import { openEngine } from '../../src/engine/open.ts'
import { serveHttp } from '../../src/faces/http/http.ts'
import { randomFrom } from '../support/chance.ts'
import { createDatabase } from '../support/database.ts'
import { type CuttingProxy, type HttpWorld, openCuttingProxy, openHttpWorld } from '../support/http-world.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})
const kept = <T extends { close(): Promise<void> }>(thing: T): T => {
  closers.push(() => thing.close())
  return thing
}

const SEED = Number(process.env.CARREL_TEST_SEED ?? 20261121)
const IMPATIENT = { firstWaitMs: 4, longestWaitMs: 20 }

/** Follows until every log has reached its number in `heads`; returns the events by log, in their order of arrival. */
async function readUntil(client: Client, targets: readonly FollowTarget[], heads: Map<string, number>) {
  const stop = new AbortController()
  const logs = new Map<string, { seq: number; json: string }[]>()
  const left = new Map(heads)
  for await (const each of client.follow(targets, stop.signal)) {
    if (each.kind !== 'event') continue
    logs.set(each.log, [...(logs.get(each.log) ?? []), { seq: each.seq, json: each.json }])
    if (each.seq >= (left.get(each.log) ?? Number.POSITIVE_INFINITY)) left.delete(each.log)
    if (left.size === 0) break
  }
  stop.abort()
  return logs
}

/** Follows as a browser's EventSource does: one address for ever, and `Last-Event-ID` after each cut. */
async function readAsBrowser(url: string, token: string, heads: Map<string, number>) {
  const lines: { seq: number; json: string }[] = []
  const left = new Map(heads)
  let last = ''
  while (left.size > 0) {
    const headers = { authorization: `Bearer ${token}`, ...(last && { 'last-event-id': last }) }
    try {
      const response = await fetch(url, { headers })
      const parser = createParser({
        onEvent: ({ id, event, data }) => {
          last = id ?? last
          if (event !== 'session') return
          const { session, seq } = JSON.parse(data) as { session: string; seq: number }
          lines.push({ seq, json: data })
          if (seq >= (left.get(session) ?? Number.POSITIVE_INFINITY)) left.delete(session)
        },
      })
      const decoder = new TextDecoder()
      for await (const chunk of response.body ?? []) {
        parser.feed(decoder.decode(chunk, { stream: true }))
        if (left.size === 0) break
      }
    } catch {
      // The connection was cut, as this test intends.
    }
  }
  return lines
}

async function stored(world: HttpWorld, session: string) {
  const { events } = await world.client.call('sessions.events', { workspace: 'default', id: session, limit: 5000 })
  return events.map((event) => ({ seq: event.seq, event }))
}

const asSaid = (lines: readonly { seq: number; json: string }[]) =>
  lines.map(({ seq, json }) => ({ seq, event: JSON.parse(json) }))

async function openCut(seed: number, databaseUrl: string | null): Promise<{ world: HttpWorld; proxy: CuttingProxy }> {
  const chance = randomFrom(seed)
  let upstream = 0
  const proxy = kept(
    await openCuttingProxy(
      () => upstream,
      () => 1 + Math.floor(chance() ** 2 * 24_000),
    ),
  )
  const world = kept(await openHttpWorld({ databaseUrl, allowedHosts: [`127.0.0.1:${proxy.port}`] }))
  upstream = world.server.port
  return { world, proxy }
}

it(`L6: 50 followers, cut at random bytes, all see the same gapless logs (seed ${SEED})`, async () => {
  await readThroughCuts(null)
})

it(`L6: the same on a real Postgres (seed ${SEED})`, async ({ skip }) => {
  const database = await createDatabase()
  if ('skipped' in database) return skip(database.skipped)
  closers.push(database.drop)
  await readThroughCuts(database.url)
})

async function readThroughCuts(databaseUrl: string | null): Promise<void> {
  const { world, proxy } = await openCut(SEED, databaseUrl)
  const url = `http://127.0.0.1:${proxy.port}`
  const chance = randomFrom(SEED + 1)
  const [first, second] = [await world.newSession(), await world.newSession()]
  await world.grow(first, 20)
  const client = () => connect({ url, token: world.engine.token, timing: { ...IMPATIENT, random: chance } })
  const one: FollowTarget[] = [{ kind: 'session', workspace: 'default', session: first, after: 0 }]
  const all: FollowTarget[] = [
    { kind: 'workspace', workspace: 'default', after: 0 },
    ...one,
    { kind: 'session', workspace: 'default', session: second, after: 0 },
  ]
  const heads = new Map([
    [first, 120],
    [second, 40],
  ])
  const alone = Array.from({ length: 20 }, () => readUntil(client(), one, new Map([[first, 120]])))
  const pages = Array.from({ length: 20 }, () => readUntil(client(), all, heads))
  const address = `${url}/api/v1/follow?w=default&s=${second}&s=${first}`
  const browsers = Array.from({ length: 10 }, () => readAsBrowser(address, world.engine.token, heads))
  await Promise.all([world.grow(first, 100), world.grow(second, 40)])
  const [logsAlone, logsPages, logsBrowsers] = await Promise.all([
    Promise.all(alone),
    Promise.all(pages),
    Promise.all(browsers),
  ])

  const right = { [first]: await stored(world, first), [second]: await stored(world, second) }
  expect(right[first]?.map(({ seq }) => seq)).toEqual(Array.from({ length: 120 }, (_, n) => n + 1))
  for (const logs of logsAlone) expect(asSaid(logs.get(first) ?? [])).toEqual(right[first])
  for (const logs of logsPages) {
    expect(asSaid(logs.get(first) ?? [])).toEqual(right[first])
    expect(asSaid(logs.get(second) ?? [])).toEqual(right[second])
    const workspace = logs.get('default') ?? []
    expect(workspace.map(({ seq }) => seq)).toEqual(workspace.map((_, n) => n + 1))
  }
  for (const lines of logsBrowsers) {
    for (const [id, whole] of Object.entries(right)) {
      expect(asSaid(lines).filter(({ event }) => event.session === id)).toEqual(whole)
    }
  }
  expect(proxy.cuts()).toBeGreaterThan(100)
}

it('L6: a follower continues where it was when the server comes back', async () => {
  const world = kept(await openHttpWorld())
  const session = await world.newSession()
  await world.grow(session, 5)
  const client = connect({ url: world.server.url, token: world.engine.token, timing: IMPATIENT })
  const states: string[] = []
  client.onConnection(({ state }) => {
    if (states.at(-1) !== state) states.push(state)
  })
  const seen: number[] = []
  const stop = new AbortController()
  const targets: FollowTarget[] = [{ kind: 'session', workspace: 'default', session, after: 2 }]
  let restarted: Promise<unknown> | null = null
  for await (const each of client.follow(targets, stop.signal)) {
    if (each.kind === 'event') seen.push(each.seq)
    if (each.kind === 'caught-up') restarted ??= restart(world).then(() => world.grow(session, 3))
    if (seen.length === 6) break
  }
  await restarted
  expect(seen).toEqual([3, 4, 5, 6, 7, 8])
  expect(states).toEqual(['open', 'cut', 'open'])
})

/** Ends server and engine, and starts both again on the same folder and port. */
async function restart(world: HttpWorld): Promise<void> {
  await world.server.close()
  await world.engine.close()
  const engine = kept(await openEngine({ dataFolder: world.folder, runsAtOnce: 0, logLevel: 'error' }))
  kept(await serveHttp(engine, { host: '127.0.0.1', port: world.server.port, version: 'test', webFolder: null }))
}

it('L6: closing the server ends its streams, and their readers learn of it', async () => {
  const world = kept(await openHttpWorld())
  const session = await world.newSession()
  const client = connect({ url: world.server.url, token: world.engine.token, timing: IMPATIENT })
  const stop = new AbortController()
  const cut = new Promise<string | null>((resolve) => {
    client.onConnection(({ state, reason }) => state === 'cut' && resolve(reason))
  })
  const targets: FollowTarget[] = [{ kind: 'session', workspace: 'default', session, after: 0 }]
  const reading = (async () => {
    const all: Followed[] = []
    for await (const each of client.follow(targets, stop.signal)) {
      all.push(each)
      if (each.kind === 'caught-up') void world.server.close()
    }
    return all
  })()
  expect(await cut).toBeTruthy()
  stop.abort()
  expect((await reading).at(-1)?.kind).toBe('caught-up')
  expect(world.server.streams.open()).toBe(0)
})

it('L6: a deleted session ends in the stream, and the other logs continue', async () => {
  const world = kept(await openHttpWorld())
  const [gone, stays] = [await world.newSession(), await world.newSession()]
  await world.grow(gone, 2)
  await world.client.call('sessions.delete', { workspace: 'default', id: gone, confirm: true })
  const stop = new AbortController()
  const said: Followed[] = []
  const targets: FollowTarget[] = [
    { kind: 'session', workspace: 'default', session: gone, after: 2 },
    { kind: 'session', workspace: 'default', session: stays, after: 0 },
  ]
  for await (const each of world.client.follow(targets, stop.signal)) {
    said.push(each)
    if (each.kind === 'caught-up') await world.grow(stays, 1)
    if (each.kind === 'event') break
  }
  expect(said).toContainEqual(expect.objectContaining({ kind: 'ended', log: gone }))
  expect(said.at(-1)).toMatchObject({ kind: 'event', log: stays, seq: 1 })
})

it('L6: following ends with an error only where a retry would not help', async () => {
  const world = kept(await openHttpWorld())
  const follow = async (client: Client, session: string) => {
    const targets: FollowTarget[] = [{ kind: 'session', workspace: 'default', session, after: 0 }]
    for await (const _ of client.follow(targets, new AbortController().signal)) break
  }
  await expect(follow(world.client, `ses_${'0'.repeat(26)}`)).rejects.toMatchObject({ code: 'not_found' })
  const stranger = connect({ url: world.server.url, token: 'wrong', timing: IMPATIENT })
  await expect(follow(stranger, await world.newSession())).rejects.toMatchObject({ code: 'unauthenticated' })
})

it('L6: a client takes a silent server for dead and asks again', async () => {
  const world = kept(await openHttpWorld({}, { streams: { heartbeatMs: 3_600_000 } }))
  const session = await world.newSession()
  const client = connect({ url: world.server.url, token: world.engine.token, timing: { ...IMPATIENT, silenceMs: 50 } })
  const reasons: (string | null)[] = []
  client.onConnection(({ state, reason }) => state === 'cut' && reasons.push(reason))
  const stop = new AbortController()
  let caughtUp = 0
  const targets: FollowTarget[] = [{ kind: 'session', workspace: 'default', session, after: 0 }]
  for await (const each of client.follow(targets, stop.signal)) {
    if (each.kind === 'caught-up') caughtUp += 1
    if (caughtUp === 3) break
  }
  expect(reasons).toContain('The server stopped sending.')
})

it('L7: events arrive even when every ring is lost', async () => {
  const world = kept(await openHttpWorld({}, { overrides: { bell: (bell) => ({ ...bell, ring: () => undefined }) } }))
  const session = await world.newSession()
  const targets: FollowTarget[] = [{ kind: 'session', workspace: 'default', session, after: 0 }]
  const reading = readUntil(world.client, targets, new Map([[session, 3]]))
  await world.grow(session, 3)
  expect((await reading).get(session)?.map(({ seq }) => seq)).toEqual([1, 2, 3])
})
