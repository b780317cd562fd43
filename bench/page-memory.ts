import type { CDPSession, Page } from 'playwright-core'
import { openSession, script, WORKSPACE, type World } from '../test/browser/world.ts'
import { proseOf } from './page-data.ts'

/** An hour at 20 updates/s, in as many turns as it may have. */
const UPDATES = 72_000
const TURNS = 72
const MARKS = 6
const PER_TURN = UPDATES / TURNS

interface Mark {
  readonly updates: number
  readonly heapMib: number
  readonly nodes: number
  readonly listeners: number
}

/** Streams an hour's updates, sped up, into an open page, and measures it on the way after collecting garbage. */
export async function measureMemory(here: World): Promise<string> {
  const { session } = await openSession(here, 'An hour')
  const page = await here.open(`/s/${session.id}`)
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('Performance.enable')
  const turn = (at: number) =>
    here.carrel.call('sessions.prompt', { workspace: WORKSPACE, id: session.id, content: turnOf(at), wait: 'ended' })
  // Memory loaded with the first turn does not count as growth.
  await turn(0)
  await settled(page)
  const marks = [await markOf(cdp, PER_TURN)]
  for (let at = 1; at < TURNS; at += 1) {
    await turn(at)
    if ((at + 1) % (TURNS / MARKS) > 0) continue
    await settled(page)
    marks.push(await markOf(cdp, (at + 1) * PER_TURN))
  }
  await page.context().close()
  return written(marks)
}

/** A turn of an agent at work: it thinks, plans, calls tools, and speaks most of the time. */
function turnOf(at: number): string {
  const calls = Array.from({ length: 10 }, (_, n) => ({
    update: {
      sessionUpdate: 'tool_call',
      toolCallId: `call-${at}-${n}`,
      title: `Read bed ${n}`,
      kind: 'read',
      status: 'completed',
      content: [{ type: 'content', content: { type: 'text', text: `Bed ${n} has beans.\n`.repeat(40) } }],
    },
  }))
  const spoken = PER_TURN - calls.length - 101
  return script([
    { think: proseOf(100), chunks: 100 },
    { plan: ['Look', 'Water'] },
    ...calls,
    { say: proseOf(spoken), chunks: spoken, delayMs: 1 },
  ])
}

/** The page has shown the end of the run that the server told of. */
const settled = async (page: Page): Promise<void> => {
  await page.getByRole('button', { name: 'Stop', exact: true }).first().waitFor({ state: 'detached' })
  await page.waitForTimeout(1_000)
}

async function markOf(cdp: CDPSession, updates: number): Promise<Mark> {
  await cdp.send('HeapProfiler.collectGarbage')
  const { metrics } = await cdp.send('Performance.getMetrics')
  const of = (name: string): number => metrics.find((each) => each.name === name)?.value ?? Number.NaN
  return { updates, heapMib: of('JSHeapUsedSize') / 2 ** 20, nodes: of('Nodes'), listeners: of('JSEventListeners') }
}

function written(marks: readonly Mark[]): string {
  const rows = marks.map(
    ({ updates, heapMib, nodes, listeners }) =>
      `| ${updates.toLocaleString('en-US')} | ${heapMib.toFixed(1)} MiB | ${nodes} | ${listeners} |`,
  )
  return ['| Updates | Heap after collecting garbage | DOM nodes | Listeners |', '|---|---|---|---|', ...rows].join(
    '\n',
  )
}
