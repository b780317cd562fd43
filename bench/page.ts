import { parseArgs } from 'node:util'
import type { CDPSession } from 'playwright-core'
import type { SessionId } from '../src/model/ids.ts'
import { agentMessage, openSession, openWorld, script, WORKSPACE, type World } from '../test/browser/world.ts'
import { writeRuns } from '../test/browser/written-log.ts'
import { below, type Result, table } from './figures.ts'
import { proseOf, runsOf } from './page-data.ts'
import { measureMemory } from './page-memory.ts'

// `node bench/page.ts [--quick | --memory]`: what the page costs in a real Chromium. Build it first (`npm run build`).
const ITEMS = 10_000
const STREAMING = 6
const EVERY_MS = 50

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    memory: { type: 'boolean', default: false },
    web: { type: 'string' },
  },
})
const ROUNDS = values.quick ? 2 : 5
const SECONDS = values.quick ? 5 : 20

interface Scrolled {
  readonly perSecond: number
  readonly longest: number
}

/** One session of many items: opening it from the page's first view, and scrolling it both ways. */
async function measureLong(here: World): Promise<Result[]> {
  const { session } = await openSession(here, 'Ten thousand')
  await writeRuns(here, session.id, runsOf(ITEMS))
  const open: number[] = []
  const frames = { up: [] as number[], down: [] as number[], longest: [] as number[] }
  for (let round = 0; round < ROUNDS; round += 1) {
    const page = await here.open('/inbox')
    const link = page.getByRole('link', { name: /Ten thousand/ }).first()
    await link.waitFor()
    await page.waitForTimeout(1_500)
    open.push((await page.evaluate(`(${OPENING})(document.querySelector('a[href="/s/${session.id}"]'))`)) as number)
    for (const way of ['up', 'down'] as const) {
      const { perSecond, longest } = (await page.evaluate(scrolling(way, values.quick ? 3 : 6))) as Scrolled
      frames[way].push(perSecond)
      frames.longest.push(longest)
    }
    await page.context().close()
  }
  const line = (name: string, unit: string, ours: number[], target?: Result['target']): Result => ({
    name,
    unit,
    ours,
    theirs: [],
    target,
  })
  return [
    line('a session of 10,000 items, opened to painted', 'ms', open, below(300, 'ms')),
    line('scrolled towards the oldest, frames', '/s', frames.up),
    line('scrolled towards the newest, frames', '/s', frames.down),
    line('longest frame while scrolling', 'ms', frames.longest, below(50, 'ms')),
  ]
}

// These run in the page, whose names this project of types does not know: they are passed as text.

/** From the press of the link until the frame after the end of a run is in the document. ms. */
const OPENING = `(link) => (async () => {
  const frame = () => new Promise((done) => requestAnimationFrame(done))
  const begun = performance.now()
  link.click()
  while (!document.querySelector('.run-end')) await frame()
  await frame()
  return performance.now() - begun
})()`

/** Scrolls 50 px a frame; what is not loaded is waited for like a person would, by going on. */
const scrolling = (way: 'up' | 'down', seconds: number) => `(async () => {
  const box = document.querySelector('.transcript')
  const frame = () => new Promise((done) => requestAnimationFrame(done))
  const took = []
  let last = await frame()
  const until = last + ${seconds * 1_000}
  while (last < until) {
    box.scrollTop += ${way === 'up' ? -50 : 50}
    const now = await frame()
    took.push(now - last)
    last = now
  }
  const total = took.reduce((sum, each) => sum + each, 0)
  return { perSecond: (took.length / total) * 1000, longest: Math.max(...took) }
})()`

/** Six sessions stream at once; one of them is looked at. */
async function measureStreams(here: World): Promise<Result[]> {
  const sessions: SessionId[] = []
  for (let at = 0; at < STREAMING; at += 1) sessions.push((await openSession(here, `Stream ${at}`)).session.id)
  const chunks = Math.ceil(((SECONDS + 20) * 1_000) / EVERY_MS)
  const content = script([{ say: 'Begun.\n\n' }, { say: proseOf(chunks), chunks, delayMs: EVERY_MS }])
  for (const id of sessions) await here.carrel.call('sessions.prompt', { workspace: WORKSPACE, id, content })
  const page = await here.open(`/s/${sessions[0]}`)
  await agentMessage(page, 'Begun.').waitFor()
  const cdp = await page.context().newCDPSession(page)
  // Its own time on a core: what others on this machine take is not counted.
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' })
  await page.waitForTimeout(2_000)
  const heapBefore = await heap(cdp)
  const begun = performance.now()
  const before = await metrics(cdp)
  await page.waitForTimeout(SECONDS * 1_000)
  const after = await metrics(cdp)
  const heapAfter = await heap(cdp)
  const busy = (100_000 * (after.TaskDuration! - before.TaskDuration!)) / (performance.now() - begun)
  const grown = ((heapAfter - heapBefore) / 2 ** 20 / SECONDS) * 60
  return [
    {
      name: `${STREAMING} sessions with ${1_000 / EVERY_MS} updates/s each, one on the screen: main thread`,
      unit: '%',
      ours: [busy],
      theirs: [],
      target: below(30, '%'),
    },
    { name: 'heap after collecting garbage, growth in a minute of it', unit: 'MiB', ours: [grown], theirs: [] },
  ]
}

async function heap(cdp: CDPSession): Promise<number> {
  await cdp.send('HeapProfiler.collectGarbage')
  return (await metrics(cdp)).JSHeapUsedSize!
}

async function metrics(cdp: CDPSession): Promise<Record<string, number>> {
  const { metrics: list } = await cdp.send('Performance.getMetrics')
  return Object.fromEntries(list.map(({ name, value }) => [name, value]))
}

const world = await openWorld({}, { webFolder: values.web, whole: true })
if ('skipped' in world) {
  console.error(`Nothing was measured: ${world.skipped}.`)
  process.exit(1)
}
try {
  if (values.memory) console.log(await measureMemory(world))
  else console.log(table([...(await measureLong(world)), ...(await measureStreams(world))]))
  if (world.complaints.length > 0) throw new Error(`The page complained: ${world.complaints.join('; ')}`)
} finally {
  await world.close()
}
