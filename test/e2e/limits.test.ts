import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { RunId } from '../../src/model/ids.ts'
import type { Environment } from '../../src/model/settings/environment.ts'
import { killAgents, startServer } from '../support/carrel-server.ts'
import { appears, eventually, type TestSession } from '../support/carrel-session.ts'
import { makeTestFolder, openWorld, scriptedAgent } from '../support/carrel-world.ts'
import { cgroupsNow, needCgroups, selfWith } from '../support/cgroup-setup.ts'
import { openCliWorld } from '../support/cli-world.ts'
import { noSandbox } from '../support/sandbox-setup.ts'

const unwalled = await noSandbox()
const MIB = 1 << 20
const HELLO = [{ say: 'hello' }]
/** Far beyond every limit here. */
const TOO_MUCH = [{ take: 2_048 * MIB }]
const HUNGRY = `${process.execPath} -e 'const all = []; for (;;) all.push(Buffer.alloc(1 << 23, 1))'`
const MANY = 'for each in $(seq 200); do sleep 1000 > /dev/null 2>&1 & done'

const keep = ({ carrel, workspace, space }: TestSession, settings: Environment) =>
  carrel.call('environment.set', { workspace, space: space.id, settings })
const notices = async (session: TestSession) => (await session.eventsOf('notice.given')).map(({ data }) => data.text)

/** Records new cgroups, and checks at the end of the test that they are gone. */
function watchCgroups() {
  const before = new Set(cgroupsNow())
  const seen = new Set<string>()
  return {
    look: () => {
      const now = cgroupsNow().filter((path) => !before.has(path))
      for (const path of now) seen.add(path)
      return now
    },
    allGone: async () => {
      expect(seen.size).toBeGreaterThan(0)
      await eventually('no cgroup is left', () => [...seen].every((path) => !existsSync(path)))
    },
  }
}

describe('limits of memory and processes', () => {
  needCgroups()

  it('P9: an agent that exceeds its memory is ended and a notice says so; its neighbour and the session continue', async () => {
    const world = await openWorld()
    const cgroups = watchCgroups()
    const [session, neighbour] = [await world.session(), await world.session()]
    await keep(session, { limits: { memoryBytes: 256 * MIB } })
    const { prompt } = await neighbour.prompt([{ write: 'begun', content: '', ask: false }, { gate: 'go' }, ...HELLO])
    await appears(neighbour.path('begun'))
    const { outcome, error } = await session.run(TOO_MUCH)
    expect(outcome).toBe('failed')
    expect(error?.message).toMatch(/was ended: it and its processes used more than 256 MiB of memory\./)
    expect(error?.next).toContain(
      `The Space sets this limit. Raise it with \`carrel env set --limit memoryBytes=512m --space ${session.space.id}\``,
    )
    neighbour.open('go')
    expect((await neighbour.endOf(prompt)).data).toMatchObject({ outcome: 'completed' })
    const again = await session.run(HELLO)
    expect(again).toMatchObject({ outcome: 'completed' })
    expect(cgroups.look()).not.toEqual([])
    expect((await given(session, again)).limits).toEqual({ memoryBytes: 256 * MIB })
    await world.engine.close()
    await cgroups.allGone()
  })

  it.for([
    ['off', 'its own', null],
    ['guard', 'its own', unwalled],
    ['off', 'a terminal of Carrel', null],
  ] as const)(
    'P9: in the sandbox %s, a command in %s that exceeds its memory is ended, and the agent continues and gets a message',
    async ([sandbox, where, why], { skip }) => {
      if (why !== null) return skip(why)
      const world = await openWorld()
      const session = await world.session()
      await keep(session, { sandbox, limits: { memoryBytes: 256 * MIB } })
      const via = where === 'its own' ? {} : { via: 'client' }
      const { prompt } = await session.prompt([{ run: HUNGRY, ...via }, { gate: 'go' }, { run: 'echo alive' }])
      const told = await session.until('notice.given')
      expect(told.data.text).toBe(
        'The system ended a process of the agent: the agent and its processes used more than 256 MiB of memory, their limit.',
      )
      session.open('go')
      expect((await session.endOf(prompt)).data).toMatchObject({ outcome: 'completed' })
      expect(JSON.stringify(await session.items())).toContain('alive')
    },
  )

  it('P9: an agent that starts too many processes starts no more, and a notice says so', async () => {
    const world = await openWorld()
    const session = await world.session()
    await keep(session, { limits: { pids: 64 } })
    const { prompt } = await session.prompt([{ run: MANY }, { gate: 'go' }, ...HELLO])
    const told = await session.until('notice.given')
    expect(told.data.text).toContain('reached their limit of 64 processes and threads at once')
    expect(world.processes().length).toBeLessThanOrEqual(64)
    session.open('go')
    expect((await session.endOf(prompt)).data).toMatchObject({ outcome: 'completed' })
  })

  it('a shareable agent with limits runs one run at a time, and other limits need another process', {
    tags: ['long'],
  }, async () => {
    const world = await openWorld({ agents: [scriptedAgent('shared', { runsPerProcess: 8 })] })
    const [one, two] = [await world.session({ agent: 'shared' }), await world.session({ agent: 'shared' })]
    const set = (limits: Environment['limits']) =>
      world.carrel.call('environment.set', { workspace: 'default', settings: { limits } })
    const pidOf = async (session: TestSession) => (await given(session, await session.run(HELLO))).pid
    await set({ memoryBytes: 512 * MIB, pids: 128 })
    const { prompt } = await one.prompt([{ write: 'begun', content: '', ask: false }, { gate: 'go' }])
    await appears(one.path('begun'))
    const beside = await pidOf(two)
    one.open('go')
    const first = (await given(one, (await one.endOf(prompt)).data)).pid
    expect(beside).not.toBe(first)
    const pids = [first, await pidOf(one)]
    for (const limits of [
      { memoryBytes: 512 * MIB, pids: 256 },
      { memoryBytes: 256 * MIB, pids: 256 },
      { ms: 60_000 },
    ]) {
      await set(limits)
      pids.push(await pidOf(one))
    }
    expect(new Set(pids).size).toBe(4)
  })

  it('P1, P5: a limit outlives its server: the next one learns what it ended, and nothing is left of it', {
    tags: ['long'],
  }, async () => {
    const testFolder = makeTestFolder()
    const cgroups = watchCgroups()
    onTestFinished(() => killAgents(testFolder))
    const first = await startServer(testFolder, { outliveMs: 120_000 })
    const session = await first.session()
    await keep(session, { limits: { memoryBytes: 256 * MIB, pids: 64 } })
    const { prompt } = await session.prompt([
      { write: 'begun', content: '', ask: false },
      { gate: 'go' },
      { run: HUNGRY },
      { gate: 'on' },
      ...TOO_MUCH,
    ])
    await appears(session.path('begun'))
    expect(cgroups.look()).not.toEqual([])
    await first.kill()
    session.open('go')
    const second = await startServer(testFolder, { outliveMs: 120_000 })
    const next = session.through(second.carrel)
    await next.until('notice.given', ({ data }) => data.text.includes('256 MiB of memory'))
    next.open('on')
    const { outcome, error } = (await next.endOf(prompt)).data
    expect([outcome, error?.message]).toEqual(['failed', expect.stringContaining('more than 256 MiB of memory')])
    await next.run(HELLO)
    cgroups.look()
    await second.stop()
    await cgroups.allGone()
  })

  it('P1: the next start removes limited agents that were to end with their killed server', {
    tags: ['long'],
  }, async () => {
    const testFolder = makeTestFolder()
    const cgroups = watchCgroups()
    onTestFinished(() => killAgents(testFolder))
    const first = await startServer(testFolder)
    const session = await first.session()
    await keep(session, { limits: { memoryBytes: 256 * MIB, pids: 64 } })
    await session.prompt([
      { run: `${MANY.replace('200', '3')}` },
      { write: 'begun', content: '', ask: false },
      { hang: true },
    ])
    await eventually('the agent runs', () => cgroups.look().length > 0)
    await first.kill()
    killAgents(testFolder)
    await startServer(testFolder)
    await cgroups.allGone()
  })

  it.skipIf(unwalled !== null)(
    `B4: an agent in a sandbox neither leaves its cgroup nor changes its limits${unwalled ? ` (not tried: ${unwalled})` : ''}`,
    async () => {
      const world = await openWorld()
      const cgroups = watchCgroups()
      const session = await world.session()
      await keep(session, { sandbox: 'guard', limits: { memoryBytes: 256 * MIB, pids: 64 } })
      await session.run(HELLO)
      const own = cgroups.look()
      expect(own).not.toEqual([])
      const files = [
        ...own.map((path) => join(path, 'cgroup.procs')),
        ...own.map((path) => join(dirname(path), 'cgroup.procs')),
      ]
      const limits = own.flatMap((path) =>
        ['memory.max', 'memory.limit_in_bytes', 'pids.max'].map((name) => join(path, name)),
      )
      const before = limits.filter(existsSync).map((path) => readFileSync(path, 'utf8'))
      const tries = [...files, ...limits.filter(existsSync)].map((file) => ({ run: `echo 0 > ${file} && echo DONE` }))
      expect(
        await session.run([...tries, ...own.map((path) => ({ run: `mkdir ${path}/inner && echo DONE` }))]),
      ).toMatchObject({
        outcome: 'completed',
      })
      const said = (await session.items()).flatMap((item) =>
        item.kind === 'tool' ? [JSON.stringify(item.content)] : [],
      )
      expect(said).toHaveLength(tries.length + own.length)
      for (const words of said) expect(words).toContain('ead-only file system')
      expect(limits.filter(existsSync).map((path) => readFileSync(path, 'utf8'))).toEqual(before)
    },
  )

  it('P5: processes of a limited agent whose keeper was killed end at once', { tags: ['long'] }, async () => {
    const world = await openWorld()
    const cgroups = watchCgroups()
    const session = await world.session()
    await keep(session, { limits: { memoryBytes: 256 * MIB, pids: 64 } })
    const { prompt } = await session.prompt([{ write: 'begun', content: '', ask: false }, { hang: true }])
    await appears(session.path('begun'))
    expect(cgroups.look()).not.toEqual([])
    const keepers = join(world.dataFolder, 'keepers')
    for (const name of readdirSync(keepers))
      process.kill(JSON.parse(readFileSync(join(keepers, name, 'keeper.json'), 'utf8')).keeper.identity.pid, 'SIGKILL')
    expect((await session.endOf(prompt)).data).toMatchObject({ outcome: 'failed' })
    await cgroups.allGone()
  })

  it('the command line reads and prints sizes as 2g, and refuses a malformed size', async () => {
    const cli = openCliWorld()
    onTestFinished(() => cli.close())
    await cli.serve()
    const set = (...words: string[]) => cli.carrel(['env', 'set', ...words])
    const refused = await set('--limit', 'memoryBytes=much')
    expect([refused.exit, refused.stderr]).toEqual([
      64,
      expect.stringContaining('"much" is not a size. Use 512m or 2g.'),
    ])
    expect((await set('--limit', 'memoryBytes=1m')).stderr).toContain('is at least 16 MiB')
    const { own } = (await set('--limit', 'memoryBytes=1.5g', '--limit', 'pids=64', '--json')).json()
    expect(own).toEqual({ limits: { memoryBytes: 1_536 * MIB, pids: 64 } })
    const shown = await cli.carrel(['env', 'show'])
    expect(shown.stdout).toMatch(/limit memoryBytes +workspace +1536m\n/)
    await set('--unset', 'limits.memoryBytes')
    expect((await cli.carrel(['env', 'show', '--json'])).json().own).toEqual({ limits: { pids: 64 } })
  })

  it('F8: a run whose limit this machine cannot enforce fails with a message, and nothing starts', async () => {
    const testFolder = makeTestFolder()
    const able = await openWorld({}, {}, testFolder)
    const session = await able.session()
    await keep(session, { limits: { memoryBytes: 256 * MIB } })
    await able.engine.close()
    const unable = await openWorld({}, { self: selfWith(NOTHING) }, testFolder)
    const there = session.through(unable.carrel)
    const { outcome, error } = await there.run([{ write: 'made', content: '', ask: false }])
    expect(outcome).toBe('failed')
    expect(error?.message).toMatch(/limit of memory is set, and this machine cannot enforce it.*Delegate=yes/)
    expect(existsSync(session.path('made'))).toBe(false)
    // Existing limits can be set again, and removed.
    await keep(there, { limits: { memoryBytes: 256 * MIB, ms: 60_000 } })
    await keep(there, { limits: { ms: 60_000 } })
    expect(await there.run(HELLO)).toMatchObject({ outcome: 'completed' })
  })
})

it('F8: a limit that this machine cannot enforce is refused when it is set, and doctor gives the reason', async () => {
  const world = await openWorld({}, { self: selfWith(NOTHING) })
  const session = await world.session()
  for (const [limits, what] of [
    [{ memoryBytes: 256 * MIB }, 'memory'],
    [{ pids: 64 }, 'processes'],
  ] as const)
    await expect(keep(session, { limits })).rejects.toMatchObject({
      code: 'bad_input',
      message: expect.stringMatching(
        `This machine cannot enforce a limit of ${what}. .*Carrel finds no cgroup.*Delegate=yes`,
      ),
    })
  const { findings } = await world.carrel.call('server.doctor', {})
  expect(findings.find(({ name }) => name === 'Limits')).toEqual({
    name: 'Limits',
    state: 'limited',
    text: 'No limit of memory and processes: Carrel finds no cgroup on this machine that could enforce it.',
    next: expect.stringContaining('Delegate=yes'),
  })
  expect(await notices(session)).toEqual([])
})

const NOTHING = { cgroup: '0::/\n', mountinfo: '22 1 0:21 / /proc rw - proc proc rw\n' }

/** Returns the environment of a run. The run does not wait for the write of this file. */
async function given({ carrel, workspace }: TestSession, { run }: { run: RunId }) {
  return await vi.waitUntil(() => carrel.call('runs.environment', { workspace, id: run }).catch(() => null), 60_000)
}
