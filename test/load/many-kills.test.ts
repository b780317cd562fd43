/** @module-tag long */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { Event } from '../../src/model/events/events.ts'
import { expectWhole } from '../contracts/carrel-runs.ts'
import { running, type Server, startServer } from '../support/carrel-server.ts'
import { eventually, type TestSession } from '../support/carrel-session.ts'
import { makeTestFolder } from '../support/carrel-world.ts'
import { randomFrom } from '../support/chance.ts'

const SESSIONS = 4
const RUNS = 100
const KILLS = 12
/** The most events between two kills: followers count their events up to a number drawn from a seed. */
const MOST_EVENTS = 60

/** The requests of one session, their acknowledgements, and the events that its follower received. */
interface Ledger {
  session: TestSession
  readonly acknowledged: { seq: number; prompt: string; key: string }[]
  readonly seen: Map<number, Event>
  /** Prompts of this session ask for permission first, and the person answers at once. */
  readonly asks: boolean
  left: number
}

it(`L1, L4, L5, P1: ${KILLS} kills of the server at random moments during ${RUNS} runs lose nothing`, async () => {
  const testFolder = makeTestFolder()
  const random = randomFrom(20_261_121)
  let server = await startServer(testFolder, { flushMs: 5 })
  const ledgers: Ledger[] = []
  for (let each = 0; each < SESSIONS; each += 1) {
    ledgers.push({
      session: await server.session(),
      acknowledged: [],
      seen: new Map(),
      asks: each % 2 === 1,
      left: RUNS / SESSIONS,
    })
  }
  for (let kills = 0; kills < KILLS; kills += 1) {
    await workUntilKilled(ledgers, server, Math.floor(random() * MOST_EVENTS))
    server = await startServer(testFolder, { flushMs: 5 })
    for (const ledger of ledgers) ledger.session = ledger.session.through(server.carrel)
  }
  // One more prompt for each session, undisturbed: it queues behind every prompt that the kills left.
  for (const ledger of ledgers) ledger.left += 1
  await Promise.all(ledgers.map((ledger) => work(ledger, new AbortController().signal, () => undefined)))
  for (const { session, acknowledged, seen, asks } of ledgers) {
    for (const { prompt } of acknowledged) await session.endOf(prompt)
    const log = await session.log()
    await expectWhole(session)
    for (const [seq, event] of seen) expect(log[seq - 1]).toEqual(event)
    for (const { seq, prompt } of acknowledged) {
      expect(log[seq - 1]).toMatchObject({ type: 'prompt.requested', data: { prompt } })
      const runs = log.flatMap((event) =>
        event.type === 'run.admitted' && event.data.prompt === prompt ? [event.data.run] : [],
      )
      expect(runs).toHaveLength(1)
      expect(log.filter((event) => event.type === 'run.ended' && event.data.run === runs[0])).toHaveLength(1)
    }
    expect(acknowledged).toHaveLength(RUNS / SESSIONS + 1)
    expect((await session.runs())[0]).toMatchObject({ outcome: 'completed' })
    expect(log.filter((event) => event.type === 'interaction.opened').length > 0).toBe(asks)
    expectOnce(log, session)
  }
  await server.stop()
  await eventually('no process is left', () => running(testFolder).length === 0, 3_000)
}, 400_000)

/** Gives each session one prompt after the other, and kills the server once followers have received enough events. */
async function workUntilKilled(ledgers: readonly Ledger[], server: Server, events: number): Promise<void> {
  const over = new AbortController()
  let left = events
  const count = () => {
    left -= 1
    if (left <= 0) over.abort()
  }
  const working = ledgers.map((ledger) => work(ledger, over.signal, count))
  // A server without any remaining work brings no more events: kill it all the same.
  const done = Promise.all(working).then(() => over.abort())
  if (!over.signal.aborted)
    await new Promise((resolve) => over.signal.addEventListener('abort', resolve, { once: true }))
  await server.kill()
  await done
}

/** Prompts until none is left or the time is over. Repeats an unacknowledged prompt under the same key. */
async function work(ledger: Ledger, over: AbortSignal, count: () => void): Promise<void> {
  while (ledger.left > 0 && !over.aborted) {
    // One key for each acknowledgement: only an unacknowledged prompt repeats a key.
    const key = `run-${ledger.acknowledged.length}`
    try {
      const { seq, prompt } = await ledger.session.prompt(stepsOf(key, ledger.asks), { key })
      ledger.acknowledged.push({ seq, prompt, key })
      ledger.left -= 1
      await watch(ledger, prompt, over, count)
    } catch (thrown) {
      if (!over.aborted) throw thrown
    }
  }
}

const stepsOf = (key: string, ask: boolean) => [
  { say: 'words for the log', chunks: 3 },
  { run: `echo ${key} >> effects`, ask },
  { repeat: 3, say: '.', everyMs: 2 },
]

/** Follows until this prompt's run has ended, and keeps every event. */
async function watch(ledger: Ledger, prompt: string, over: AbortSignal, count: () => void): Promise<void> {
  const { session, seen } = ledger
  const after = Math.max(0, ...seen.keys())
  await answerAll(session)
  const target = { kind: 'session' as const, workspace: session.workspace, session: session.id, after }
  let run: string | null = null
  for await (const followed of session.carrel.follow([target], over)) {
    if (followed.kind !== 'event') continue
    const event = JSON.parse(followed.json) as Event
    seen.set(event.seq, event)
    count()
    if (event.type === 'interaction.opened') await answerAll(session)
    if (event.type === 'run.admitted' && event.data.prompt === prompt) run = event.data.run
    if (event.type === 'run.ended' && event.data.run === run) return
  }
}

/** Allows every question. A question may be over by the time of its answer. */
async function answerAll(session: TestSession): Promise<void> {
  const open = { workspace: session.workspace, session: session.id, state: 'open' as const }
  const { interactions } = await session.carrel.call('interactions.list', open)
  for (const { id } of interactions) {
    await session.answer(id, 'allow-once').catch((error) => {
      if (error.code !== 'gone' && error.code !== 'already_answered') throw error
    })
  }
}

/** Checks that no command ran twice: Carrel never sends an agent a prompt again that the agent had. */
function expectOnce(log: readonly Event[], session: TestSession): void {
  const effects = readFileSync(session.path('effects'), 'utf8').trim().split('\n')
  expect(new Set(effects).size).toBe(effects.length)
  const completed = log.filter((event) => event.type === 'run.ended' && event.data.outcome === 'completed').length
  expect(effects.length).toBeGreaterThanOrEqual(completed)
}
