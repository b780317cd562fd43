import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SessionId } from '../src/model/ids.ts'
import type { Lease } from '../src/store/lease.ts'
import { openSqlite } from '../src/store/sqlite/sqlite.ts'
import { addSession, type Effort, plant, record } from './appends.ts'
import { tempFolder } from './children.ts'
import { below, percentile, type Result } from './figures.ts'
import { openOurs, openTheirs, type Subject } from './subjects.ts'

const GAP_MS = 4
const WARM_MS = 1_000

/** From the moment an append is sent to the moment a follower has it, both over HTTP. */
export async function measureLatency({ rounds, roundMs }: Effort): Promise<Result[]> {
  const ours = await openOurs()
  const theirs = await openTheirs()
  const figures = { p50: { ours: [], theirs: [] }, p99: { ours: [], theirs: [] } } as Record<
    'p50' | 'p99',
    Record<'ours' | 'theirs', number[]>
  >
  try {
    for (const subject of [ours, theirs]) await lagsOf(subject, WARM_MS)
    for (let round = 0; round < rounds; round += 1) {
      for (const [whose, subject] of [
        ['ours', ours],
        ['theirs', theirs],
      ] as const) {
        const lags = await lagsOf(subject, roundMs)
        figures.p50[whose].push(percentile(lags, 50) ?? 0)
        figures.p99[whose].push(percentile(lags, 99) ?? 0)
      }
    }
  } finally {
    await ours.close()
    await theirs.close()
  }
  const note = `one message every ${GAP_MS} ms or when the one before was acknowledged; from sending the append to the follower's reading it`
  return [
    { name: 'append -> SSE, p50', unit: 'ms', ...figures.p50, target: below(3, 'ms'), note },
    { name: 'append -> SSE, p99', unit: 'ms', ...figures.p99 },
  ]
}

async function lagsOf(subject: Subject, ms: number): Promise<number[]> {
  const stream = await subject.make()
  const writer = await subject.writer(stream)
  const sent = new Map<string, number>()
  const lags: number[] = []
  let rest = ''
  const follower = await subject.follow(stream, (text) => {
    const now = performance.now()
    rest += text
    for (const [mark] of rest.matchAll(/<\d{8}>/g)) {
      const at = sent.get(mark)
      if (at !== undefined) lags.push(now - at)
      sent.delete(mark)
    }
    rest = rest.slice(-16)
  })
  try {
    const began = performance.now()
    for (let count = 0; performance.now() - began < ms; count += 1) {
      const mark = `<${String(count).padStart(8, '0')}>`
      const at = performance.now()
      sent.set(mark, at)
      await writer.append(mark)
      const early = GAP_MS - (performance.now() - at)
      if (early > 0) await sleep(early)
    }
    for (let waits = 0; sent.size > 0 && waits < 200; waits += 1) await sleep(10)
    if (sent.size > 0) throw new Error(`${sent.size} messages never reached the follower.`)
    return lags
  } finally {
    writer.close()
    follower.close()
  }
}

const EVENTS = 20_000

/** A follower that begins at 0 of a long log. */
export async function measureCatchUp({ rounds }: Effort): Promise<Result[]> {
  const planted = await plantLog(EVENTS)
  const ours = await openOurs({ runsAtOnce: 0 }, planted.folder)
  const theirs = await openTheirs()
  const figures = { ours: [] as number[], theirs: [] as number[] }
  try {
    const stream = await theirs.make()
    for (let from = 0; from < EVENTS; from += 1_000) {
      await theirs.appendAll(
        stream,
        Array.from({ length: 1_000 }, (_, index) => `<${from + index}>${'x'.repeat(230)}`),
      )
    }
    for (let round = 0; round < rounds + 1; round += 1) {
      const mine = await catchUp(ours, planted.session, '"type":"agent.update"', EVENTS)
      const other = await catchUp(theirs, stream, '"text":"<', EVENTS)
      // The first warms both up.
      if (round === 0) continue
      figures.ours.push(mine)
      figures.theirs.push(other)
    }
  } finally {
    await ours.close()
    await theirs.close()
  }
  const note = 'from the request to the last message; messages of about 250 bytes'
  return [{ name: 'catch-up of 20,000 events over SSE', unit: 'ms', ...figures, target: below(100, 'ms'), note }]
}

async function catchUp(subject: Subject, stream: string, mark: string, wanted: number): Promise<number> {
  const all = Promise.withResolvers<void>()
  let seen = 0
  let rest = ''
  const began = performance.now()
  const impatient = setTimeout(() => all.reject(new Error(`${seen} of ${wanted} came within 30 s.`)), 30_000)
  const follower = await subject.follow(stream, (text) => {
    const whole = rest + text
    let end = 0
    for (let at = whole.indexOf(mark); at >= 0; at = whole.indexOf(mark, end)) {
      seen += 1
      end = at + mark.length
    }
    rest = whole.slice(Math.max(end, whole.length - mark.length + 1))
    if (seen >= wanted) all.resolve()
  })
  try {
    await all.promise
    return performance.now() - began
  } finally {
    clearTimeout(impatient)
    follower.close()
  }
}

/** A data folder whose database holds one session with a long log, made without a server. */
export async function plantLog(events: number, sessions = 0): Promise<{ folder: string; session: SessionId }> {
  const folder = tempFolder('log')
  mkdirSync(join(folder, 'space'))
  const store = await openSqlite({ path: join(folder, 'carrel.db') })
  try {
    const { space, project } = await plant(store, join(folder, 'space'))
    const session = await addSession(store, space, project)
    const others = Array.from({ length: sessions }, () => addSession(store, space, project))
    await Promise.all(others)
    if (events > 0) {
      const lease = (await store.leases.acquire(`session:${session}`, 'bench', 600_000, Date.now())) as Lease
      for (let from = 0; from < events; from += 1_000)
        await record(store, lease, session, Math.min(1_000, events - from))
      await store.leases.release(lease)
    }
    return { folder, session }
  } finally {
    await store.close()
  }
}
