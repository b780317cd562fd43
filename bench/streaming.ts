import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { tempFolder } from './children.ts'
import { below, percentile, type Result, type Target } from './figures.ts'
import { type Ours, openOurs } from './subjects.ts'
import { listen, type Stream } from './wire.ts'

const SESSIONS = 200
const PER_SECOND = 20
/** Runs of one agent process: four agents instead of two hundred, since it is not their memory that is measured. */
const RUNS_PER_PROCESS = 50
const PER_STREAM = 50
const AGENT = fileURLToPath(new URL('../scripted-agent/main.ts', import.meta.url))
const STAMP = new URL('stamp.mjs', import.meta.url).href

/** The scripted agent with the clock in what it says. */
export function stampedAgent(env: Record<string, string> = {}, runsPerProcess = RUNS_PER_PROCESS) {
  return {
    id: 'stamped',
    name: 'Scripted agent with a clock',
    command: process.execPath,
    args: ['--import', STAMP, AGENT],
    env: { NODE_NO_WARNINGS: '1', CARREL_SCRIPTED_HOME: tempFolder('agent'), ...env },
    runsPerProcess,
  }
}

interface Sample {
  /** Monotonic, ms. */
  readonly at: number
  readonly lag: number
}

const monotonic = () => Number(process.hrtime.bigint()) / 1e6

/** Two hundred sessions stream at once, and all of it is followed: from the agent's write to the follower's read. */
export async function measureStreaming(options: { seconds: number; single: boolean }): Promise<Result[]> {
  const ours = await openOurs({ agents: [stampedAgent()], spawnsAtOnce: 4 } as never)
  const samples: Sample[] = []
  const followers: Stream[] = []
  try {
    const sessions = await Promise.all(Array.from({ length: SESSIONS }, () => make(ours)))
    const take = collect(samples)
    const perStream = options.single ? 1 : PER_STREAM
    for (let from = 0; from < sessions.length; from += perStream) {
      const logs = sessions.slice(from, from + perStream).map((session) => `s=${session}:0`)
      followers.push(await listen(ours.address, `/api/v1/follow?workspace=default&${logs.join('&')}`, take()))
    }
    const wanted = options.seconds * PER_SECOND
    const say = '@@now________________@@'
    const content = `@@do ${JSON.stringify([{ repeat: wanted, everyMs: 1000 / PER_SECOND, say }])} @@end`
    await Promise.all(
      sessions.map((id) =>
        ours.call('POST', `/sessions/${id}/prompt`, { content, wait: 'started', timeoutMs: 60_000 }),
      ),
    )
    const load = await watch(ours, samples, SESSIONS * wanted, options.seconds)
    return report(samples, load, options)
  } finally {
    for (const follower of followers) follower.close()
    await ours.close()
  }
}

async function make(ours: Ours): Promise<string> {
  const body = { project: ours.project, agent: 'stamped' }
  return (await ours.call<{ id: string }>('POST', '/sessions', body)).id
}

/** One reader per stream; all samples into one list. */
function collect(samples: Sample[]) {
  return () => {
    let rest = ''
    return (text: string) => {
      const at = monotonic()
      rest += text
      let end = 0
      for (const match of rest.matchAll(/@@(\d{19})@@/g)) {
        samples.push({ at, lag: at - Number(match[1]) / 1e6 })
        end = match.index + match[0].length
      }
      rest = rest.slice(Math.max(end, rest.length - 32))
    }
  }
}

interface Load {
  readonly cpu: number
  readonly rss: number
  readonly perSecond: number
}

interface Figures {
  readonly rss: number
  readonly cpu: { readonly user: number; readonly system: number }
}

/** Waits until everything has come, and says what the server needed meanwhile. */
async function watch(ours: Ours, samples: Sample[], wanted: number, seconds: number): Promise<Load> {
  const before = await ours.child.ask<Figures>('figures')
  const [began, had] = [monotonic(), samples.length]
  let rss = 0
  let until = before
  while (samples.length < wanted) {
    await sleep(500)
    until = await ours.child.ask<Figures>('figures')
    rss = Math.max(rss, until.rss)
    if (monotonic() - began > (seconds * 3 + 30) * 1000)
      throw new Error(`${samples.length} of ${wanted} updates came; the server does not keep up.`)
  }
  const ms = monotonic() - began
  const cpu = (until.cpu.user + until.cpu.system - before.cpu.user - before.cpu.system) / 1000 / ms
  return { cpu: cpu * 100, rss: rss / 1_048_576, perSecond: ((samples.length - had) * 1000) / ms }
}

function report(samples: Sample[], load: Load, { single, seconds }: { single: boolean; seconds: number }): Result[] {
  const sorted = samples.toSorted((a, b) => a.at - b.at)
  const third = Math.floor(sorted.length / 3)
  const lags = (part: readonly Sample[]) => part.map(({ lag }) => lag)
  const p = (part: readonly Sample[], percent: number) => [percentile(lags(part), percent) ?? 0]
  const [first, last] = [sorted.slice(0, third), sorted.slice(-third)]
  const growth = (p(last, 50)[0] ?? 0) / Math.max(1, p(first, 50)[0] ?? 0)
  const notGrowing: Target = { text: '< 1.5 x (no growth)', reached: (ours) => ours < 1.5 }
  const how = single ? 'a stream for each' : `${SESSIONS / PER_STREAM} streams`
  const line = (name: string, unit: string, ours: number[], target?: Target, note?: string): Result => ({
    name: `200 sessions, ${how}: ${name}`,
    unit,
    ours,
    theirs: [],
    target,
    note,
  })
  return [
    line(
      'updates received',
      '/s',
      [load.perSecond],
      undefined,
      `each ${PER_SECOND} updates/s for ${seconds} s from ${SESSIONS / RUNS_PER_PROCESS} agent processes; agents, server and followers share two cores`,
    ),
    line('lag p50, whole time', 'ms', p(sorted, 50)),
    line('lag p99, whole time', 'ms', p(sorted, 99)),
    line('lag p50, first third', 'ms', p(first, 50)),
    line('lag p50, last third', 'ms', p(last, 50)),
    line('lag p99, last third', 'ms', p(last, 99)),
    line('growth of p50, last third / first', 'x', [growth], notGrowing),
    line('CPU of the server (100 = one core)', '%', [load.cpu]),
    line('RSS of the server', 'MiB', [load.rss], below(400, 'MiB')),
  ]
}

/** Where the stamped agent of a measurement of turns writes when it was asked and when it had answered. */
export const turnsFile = (): string => join(tempFolder('turns'), 'turns')
