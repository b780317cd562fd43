import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Effort } from './appends.ts'
import { below, percentile, type Result } from './figures.ts'
import { plantLog } from './follows.ts'
import { stampedAgent, turnsFile } from './streaming.ts'
import { type Ours, openOurs } from './subjects.ts'
import { listen, send } from './wire.ts'

const LISTED = 5_000
const CALLS = 200

/** The newest page of a workspace with 5,000 sessions: 50 rows, as the CLI asks, and 200, as the page does. */
export async function measureLists({ rounds }: Effort): Promise<Result[]> {
  const { folder } = await plantLog(0, LISTED)
  const ours = await openOurs({ runsAtOnce: 0 }, folder)
  const http: number[] = []
  const inside: number[] = []
  const long: number[] = []
  try {
    for (let round = 0; round < rounds + 1; round += 1) {
      const overHttp = await timed(CALLS, () => list(ours, 50))
      const ofEngine = await ours.child.ask<number[]>('list', { times: CALLS, limit: 50 })
      const many = await timed(CALLS / 4, () => list(ours, 200))
      if (round === 0) continue
      http.push(percentile(overHttp, 50) ?? 0)
      inside.push(percentile(ofEngine, 50) ?? 0)
      long.push(percentile(many, 50) ?? 0)
    }
  } finally {
    await ours.close()
  }
  const target = below(3, 'ms')
  const note = 'the newest 50 of 5,000, the default page'
  return [
    { name: 'list of 5,000 sessions over HTTP, p50', unit: 'ms', ours: http, theirs: [], target, note },
    { name: 'list of 5,000 sessions in process, p50', unit: 'ms', ours: inside, theirs: [], target },
    { name: 'list of 5,000 sessions over HTTP, 200 rows, p50', unit: 'ms', ours: long, theirs: [] },
  ]
}

const list = (ours: Ours, limit: number) =>
  send(ours.address, 'GET', `/api/v1/workspaces/default/sessions?limit=${limit}`)

async function timed(times: number, act: () => Promise<unknown>): Promise<number[]> {
  const took: number[] = []
  for (let count = 0; count < times; count += 1) {
    const before = performance.now()
    await act()
    took.push(performance.now() - before)
  }
  return took
}

const TURNS = 30

/** Measures the overhead of a turn beyond the agent's own time, with a running process. */
export async function measureTurns({ rounds }: Effort): Promise<Result[]> {
  const file = turnsFile()
  const ours = await openOurs({ agents: [stampedAgent({ BENCH_TURNS: file })] } as never)
  const whole: number[] = []
  const begin: number[] = []
  const end: number[] = []
  try {
    const { id } = await ours.call<{ id: string }>('POST', '/sessions', { project: ours.project, agent: 'stamped' })
    const turns = Math.max(1, rounds) * TURNS + 3
    const seen = await takeTurns(ours, id, turns)
    const own = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(' ').map((ns) => Number(ns) / 1e6))
    if (own.length !== turns) throw new Error(`The agent noted ${own.length} turns instead of ${turns}.`)
    for (const [index, { accepted, ended }] of seen.entries()) {
      const [asked = 0, answered = 0] = own[index] ?? []
      // The first ones start the process and warm it up.
      if (index < 3) continue
      whole.push(ended - accepted - (answered - asked))
      begin.push(asked - accepted)
      end.push(ended - answered)
    }
  } finally {
    await ours.close()
  }
  const note =
    'the time from `accepted` over HTTP to `run.ended` over SSE, less the agent’s own time between stdin and stdout'
  const line = (name: string, ours: number[], extra: Partial<Result> = {}): Result => ({
    name,
    unit: 'ms',
    ours,
    theirs: [],
    ...extra,
  })
  return [
    line('own overhead of a turn, p50', [percentile(whole, 50) ?? 0], { target: below(10, 'ms'), note }),
    line('own overhead of a turn, p99', [percentile(whole, 99) ?? 0]),
    line('of it: accepted -> prompt at the agent, p50', [percentile(begin, 50) ?? 0]),
    line('of it: answer of the agent -> run.ended, p50', [percentile(end, 50) ?? 0]),
  ]
}

const clock = () => Number(process.hrtime.bigint()) / 1e6

async function takeTurns(ours: Ours, id: string, turns: number): Promise<{ accepted: number; ended: number }[]> {
  let ends = Promise.withResolvers<number>()
  let rest = ''
  const follower = await listen(ours.address, `/api/v1/follow?workspace=default&s=${id}:0`, (text) => {
    rest += text
    if (!rest.includes('"type":"run.ended"')) {
      rest = rest.slice(-32)
      return
    }
    rest = ''
    ends.resolve(clock())
  })
  const seen: { accepted: number; ended: number }[] = []
  try {
    for (let turn = 0; turn < turns; turn += 1) {
      ends = Promise.withResolvers<number>()
      const impatient = setTimeout(() => ends.reject(new Error(`Turn ${turn} did not end within 30 s.`)), 30_000)
      const content = '@@do [{"say":"done"}] @@end'
      await ours.call('POST', `/sessions/${id}/prompt`, { content, wait: 'accepted' })
      const accepted = clock()
      const ended = await ends.promise
      clearTimeout(impatient)
      seen.push({ accepted, ended })
      // Let the session come to rest, so that each turn begins from the same state.
      await sleep(30)
    }
    return seen
  } finally {
    follower.close()
  }
}

const STALLED = 50

/** Followers that open a stream of a long log and never read from it. */
export async function measureStalled({ rounds }: Effort): Promise<Result[]> {
  const { folder, session } = await plantLog(20_000)
  const ours = await openOurs({ runsAtOnce: 0 }, folder)
  const held: number[] = []
  const resident: number[] = []
  try {
    for (let round = 0; round < Math.min(rounds, 3); round += 1) {
      const before = await settled(ours)
      const sockets = Array.from({ length: STALLED }, () => openStalled(ours, session))
      await sleep(1_000)
      const { waiting, ...after } = await settled(ours)
      for (const socket of sockets) socket.destroy()
      if (waiting === 0) throw new Error('No follower stalled: the network took the whole log.')
      held.push((bytes(after) - bytes(before)) / STALLED / 1024)
      resident.push((after.rss - before.rss) / STALLED / 1024)
      await sleep(300)
    }
  } finally {
    await ours.close()
  }
  const note = `${STALLED} at once on a log of 20,000 events, after a garbage collection`
  const target = below(1024, 'KiB')
  return [
    { name: 'a stalled follower: heap and buffers', unit: 'KiB', ours: held, theirs: [], target, note },
    { name: 'a stalled follower: RSS', unit: 'KiB', ours: resident, theirs: [], target },
  ]
}

interface Memory {
  readonly rss: number
  readonly heapUsed: number
  readonly external: number
  readonly waiting: number
}

const bytes = ({ heapUsed, external }: Pick<Memory, 'heapUsed' | 'external'>) => heapUsed + external

async function settled(ours: Ours): Promise<Memory> {
  await ours.child.ask('figures')
  return await ours.child.ask<Memory>('figures')
}

function openStalled(ours: Ours, session: string) {
  const { hostname, port } = new URL(ours.address.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  socket.write(
    `GET /api/v1/follow?workspace=default&s=${session}:0 HTTP/1.1\r\nhost: ${hostname}:${port}\r\nauthorization: ${ours.address.headers.authorization}\r\n\r\n`,
  )
  return socket
}
