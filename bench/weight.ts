import { setTimeout as sleep } from 'node:timers/promises'
import type { Effort } from './appends.ts'
import { below, percentile, type Result } from './figures.ts'
import { plantLog } from './follows.ts'
import { stampedAgent } from './streaming.ts'
import { type Ours, openOurs } from './subjects.ts'
import { listen, send } from './wire.ts'

const CALLS = 100_000
/** Events of a log that is about 56 MB long. */
const LONG_LOG = 180_000
const PAUSE_MS = 5

/** The latency of a short call while one session is heavy: neither may stop the others. */
export async function measureWeight({ rounds }: Effort): Promise<Result[]> {
  const quick = rounds < 5
  return [
    ...(await whileCalling(quick ? CALLS / 10 : CALLS)),
    ...(await whileFollowing(quick ? LONG_LOG / 10 : LONG_LOG)),
  ]
}

async function whileCalling(calls: number): Promise<Result[]> {
  const ours = await openOurs({ agents: [stampedAgent()] } as never)
  try {
    const { id } = await ours.call<{ id: string }>('POST', '/sessions', { project: ours.project, agent: 'stamped' })
    const ended = Promise.withResolvers<void>()
    let rest = ''
    const follower = await listen(ours.address, `/api/v1/follow?workspace=default&s=${id}:0`, (text) => {
      rest = (rest + text).slice(-4_096)
      if (rest.includes('"type":"run.ended"')) ended.resolve()
    })
    await ours.call('POST', `/sessions/${id}/prompt`, { content: `@@do [{"calls":${calls}}] @@end`, wait: 'accepted' })
    const took = await probed(ours, ended.promise)
    follower.close()
    return lines(`while a run makes ${calls.toLocaleString('en')} tool calls`, took)
  } finally {
    await ours.close()
  }
}

async function whileFollowing(events: number): Promise<Result[]> {
  const { folder, session } = await plantLog(events)
  const ours = await openOurs({ runsAtOnce: 0 }, folder)
  try {
    const ended = Promise.withResolvers<void>()
    let rest = ''
    const follower = await listen(ours.address, `/api/v1/follow?workspace=default&s=${session}:0`, (text) => {
      rest = (rest + text).slice(-4_096)
      if (rest.includes('event: caught-up')) ended.resolve()
    })
    const took = await probed(ours, ended.promise)
    follower.close()
    return lines(`while a follower reads ${events.toLocaleString('en')} events`, took)
  } finally {
    await ours.close()
  }
}

async function probed(ours: Ours, until: Promise<void>): Promise<number[]> {
  const took: number[] = []
  let going = true
  void until.then(() => {
    going = false
  })
  while (going) {
    const before = performance.now()
    await send(ours.address, 'GET', '/api/v1/workspaces')
    took.push(performance.now() - before)
    await sleep(PAUSE_MS)
  }
  return took
}

const lines = (when: string, took: number[]): Result[] => [
  {
    name: `GET of workspaces ${when}, p99`,
    unit: 'ms',
    ours: [percentile(took, 99) ?? 0],
    theirs: [],
    target: below(50, 'ms'),
  },
  {
    name: `GET of workspaces ${when}, most`,
    unit: 'ms',
    ours: [Math.max(...took)],
    theirs: [],
    target: below(100, 'ms'),
  },
]
