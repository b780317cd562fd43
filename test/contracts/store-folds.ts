import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Outcome, parseEvent, type Request } from '../../src/model/events/events.ts'
import { foldAll } from '../../src/model/events/fold.ts'
import type { Item } from '../../src/model/events/items.ts'
import { emptyView } from '../../src/model/events/view.ts'
import type { InteractionId, PromptId, RunId } from '../../src/model/ids.ts'
import type { Session } from '../../src/model/tree.ts'
import type { Lease } from '../../src/store/lease.ts'
import type { Store } from '../../src/store/store.ts'
import { property } from '../support/property.ts'
import type { CurrentStore } from './store.ts'
import {
  admitted,
  answer,
  ask,
  ended,
  makeRunning,
  makeWorld,
  newInteraction,
  newRun,
  opened,
  refold,
  said,
  sessionOf,
  started,
  take,
  WHO,
  type World,
  withdraw,
  write,
} from './store-world.ts'

/** Possible next acts of a random history. Most are refused at most moments, as in real use. */
const ACTS = [
  'ask',
  'ask',
  'withdraw',
  'admit',
  'admit',
  'start',
  'say',
  'say',
  'tool',
  'question',
  'answer',
  'expire',
  'withdraw-question',
  'park',
  'end',
  'fail',
  'lose',
  'fold',
  'fold',
  'close',
  'closed',
  'defer',
  'notice',
] as const
type Act = (typeof ACTS)[number]

interface Story {
  readonly store: Store
  readonly world: World
  readonly session: Session
  readonly lease: Lease
  now: number
  readonly prompts: PromptId[]
  readonly runs: RunId[]
  readonly questions: InteractionId[]
}

export function itFolds(current: CurrentStore): void {
  describe('folds', () => {
    property(
      'L9: after any history, items and the tail of the log are the fold of the log; so is the headline',
      60,
      async (numRuns) => {
        const store = current()
        const world = await makeWorld(store)
        const acts = fc.array(fc.tuple(fc.constantFrom(...ACTS), fc.nat(3)), { maxLength: 60 })
        await fc.assert(
          fc.asyncProperty(acts, async (plan) => {
            const story = await beginStory(store, world)
            for (const [act, choice] of plan) await perform(story, act, choice)
            await checkFold(story)
          }),
          { numRuns },
        )
      },
    )

    it('L9: pages of items go back from the newest, and by number', async () => {
      const store = current()
      const world = await makeWorld(store)
      const story = await beginStory(store, world)
      for (const act of ['ask', 'admit', 'start', 'say', 'notice', 'say', 'notice', 'end'] as const) {
        await perform(story, act, 0)
      }
      const { view, items } = await refold(store, story.session.id)
      await store.log.rebuild(story.session.id, { seq: view.seq, view, items: [...items.values()] })
      const newest = [...items.values()].sort((a, b) => b.n - a.n)
      const page = await store.log.items(story.session.id, null, 2)
      expect(page).toEqual(newest.slice(0, 2))
      expect(await store.log.items(story.session.id, page[1]?.n ?? 0, 100)).toEqual(newest.slice(2))
      const wanted = newest.slice(1, 3).map(({ n }) => n)
      const found = await store.log.itemsByN(story.session.id, [...wanted, 999_999])
      expect(found.map(({ n }) => n).sort()).toEqual([...wanted].sort())
    })

    it('L9: the run that was admitted last before an event is found, in this session only', async () => {
      const store = current()
      const world = await makeWorld(store)
      const story = await beginStory(store, world)
      await makeRunning(store, world)
      for (const act of ['ask', 'admit', 'start', 'say', 'end', 'ask', 'admit', 'say'] as const) {
        await perform(story, act, 0)
      }
      const lines = await store.log.read(story.session.id, 0, 100)
      const [first, second] = lines.filter(({ json }) => JSON.parse(json).type === 'run.admitted').map(({ seq }) => seq)
      const found = (before: number) => store.log.lastAdmitted(story.session.id, before)
      expect(await found(999)).toBe(second)
      expect(await found(second!)).toBe(first)
      expect(await found(first! + 1)).toBe(first)
      expect(await found(first!)).toBe(null)
    })

    it('L9: a rebuild replaces the stored fold, whatever it holds', async () => {
      const store = current()
      const world = await makeWorld(store)
      const { session, lease } = await makeRunning(store, world)
      await write(store, lease, session, [said('words')])
      const { view, items } = await refold(store, session.id)
      const wrong: Item = { n: 1, seq: 1, at: 1, run: null, kind: 'notice', level: 'error', text: 'never happened' }
      await store.log.rebuild(session.id, { seq: view.seq, view, items: [wrong] })
      await store.log.rebuild(session.id, { seq: view.seq, view, items: [...items.values()] })
      expect(await store.log.items(session.id, null, 100)).toEqual([...items.values()].sort((a, b) => b.n - a.n))
      expect(await store.log.fold(session.id)).toEqual({ view, seq: view.seq })
    })

    it('L9: an older fold never replaces a newer one, and none is ahead of its log', async () => {
      const store = current()
      const world = await makeWorld(store)
      const { session, lease } = await makeRunning(store, world)
      const early = await refold(store, session.id)
      await write(store, lease, session, [said('words')])
      const late = await refold(store, session.id)
      const record = (fold: { seq: number; view: typeof late.view; items: Item[] }) =>
        store.log.record(lease, session.id, { outcomes: [said('more')], fold }, 20)
      await record({ seq: late.view.seq, view: late.view, items: [...late.items.values()] })
      await record({ seq: early.view.seq, view: early.view, items: [] })
      expect(await store.log.fold(session.id)).toEqual({ view: late.view, seq: late.view.seq })
      const ahead = { ...late.view, seq: 999 }
      await expect(record({ seq: 999, view: ahead, items: [] })).rejects.toMatchObject({ code: 'bad_input' })
    })

    it('a fork has the events up to its seq, no fold of its own yet, and nothing to do', async () => {
      const store = current()
      const world = await makeWorld(store)
      const { session, lease, run } = await makeRunning(store, world)
      await write(store, lease, session, [said('one'), said('two'), ended(run)])
      const fork = sessionOf(world.project, 'Fork', 50)
      const made = await store.tree.forkSession(session.id, 4, fork, 50)
      expect(made).toMatchObject({ state: 'idle', head: 5, forkedFrom: { session: session.id, seq: 4 }, lastRun: null })
      const lines = await store.log.read(fork.id, 0, 100)
      const events = lines.map(({ json }) => parseEvent(JSON.parse(json)))
      expect(events.map(({ type }) => type).slice(-2)).toEqual(['agent.update', 'session.forked'])
      for (const event of events) expect(event.session).toBe(fork.id)
      expect(await store.log.fold(fork.id)).toBeNull()
      const due = await store.log.due('', 100, 1_000)
      expect(due.map(({ session: id }) => id)).not.toContain(fork.id)
      await expect(
        store.tree.forkSession(session.id, 99, sessionOf(world.project, 'Fork', 50), 50),
      ).rejects.toMatchObject({ code: 'bad_input' })
    })
  })
}

async function beginStory(store: Store, world: World): Promise<Story> {
  const session = await world.session()
  const lease = await take(store, session.id)
  return { store, world, session, lease, now: 1, prompts: [], runs: [], questions: [] }
}

/** Performs one act; a refusal at this moment is no failure. */
async function perform(story: Story, act: Act, choice: number): Promise<void> {
  story.now += 1
  const request = requestFor(story, act, choice)
  const outcomes = outcomesFor(story, act, choice)
  try {
    if (request) {
      const { store, world, session, now } = story
      await store.log.submit(world.workspace.id, session.id, request, { now })
    }
    if (outcomes || act === 'fold') await recordWithFold(story, outcomes ?? [said('at a fold')], act === 'fold')
  } catch (error) {
    const { code } = error as { code?: string }
    if (code !== 'gone' && code !== 'busy' && code !== 'already_answered') throw error
  }
}

function requestFor(story: Story, act: Act, choice: number): Request | null {
  const prompt = story.prompts.at(-1 - choice)
  const question = story.questions.at(-1 - choice)
  if (act === 'ask') {
    const request = ask(`words ${choice}`)
    story.prompts.push(request.data.prompt)
    return request
  }
  if (act === 'withdraw' && prompt) return withdraw(prompt)
  if (act === 'answer' && question) return answer(question)
  // Seldom, so that most histories continue.
  if (act === 'close' && choice === 3) return { type: 'close.requested', data: { by: WHO } }
  return null
}

function outcomesFor(story: Story, act: Act, choice: number): Outcome[] | null {
  const prompt = story.prompts.at(-1 - choice)
  const question = story.questions.at(-1 - choice)
  const run = story.runs.at(-1)
  if (act === 'say') return Array.from({ length: choice + 1 }, () => said('words '))
  if (act === 'notice') return [{ type: 'notice.given', data: { level: 'info', text: 'note' } }]
  if (act === 'closed' && choice === 3) return [{ type: 'session.closed', data: { reason: 'asked' } }]
  if (act === 'defer' && prompt) return [{ type: 'prompt.deferred', data: { prompt, reason: 'busy' } }]
  if (act === 'admit' && prompt) {
    const next = newRun()
    story.runs.push(next)
    return [admitted(next, prompt)]
  }
  if (question && act === 'expire') {
    return [{ type: 'interaction.expired', data: { interaction: question, answer: { declined: true } } }]
  }
  if (question && act === 'withdraw-question') {
    return [{ type: 'interaction.withdrawn', data: { interaction: question, reason: 'over' } }]
  }
  return run ? outcomesOfRun(story, act, run, choice) : null
}

function outcomesOfRun(story: Story, act: Act, run: RunId, choice: number): Outcome[] | null {
  if (act === 'start') return [started(run)]
  if (act === 'park') return [{ type: 'run.parked', data: { run, reason: 'waits' } }]
  if (act === 'end') return [ended(run)]
  if (act === 'fail') return [ended(run, 'failed')]
  if (act === 'lose') return [said('last words'), ended(run, 'lost')]
  if (act === 'question') {
    const question = newInteraction()
    story.questions.push(question)
    return [opened(question, run)]
  }
  if (act !== 'tool') return null
  const update = { sessionUpdate: 'tool_call', toolCallId: `t${choice}`, title: 'Tool', status: 'in_progress' }
  return [{ type: 'agent.update', data: { acp: 1, agent: 'scripted', update } }]
}

async function recordWithFold(story: Story, outcomes: Outcome[], withFold: boolean): Promise<void> {
  const { store, session, lease, now } = story
  const { view, items } = await refold(store, session.id)
  const stored = await store.log.fold(session.id)
  const changed = [...items.values()].filter(({ seq }) => seq > (stored?.seq ?? 0))
  const fold = withFold && view.seq > 0 ? { seq: view.seq, view, items: changed } : undefined
  await store.log.record(lease, session.id, { outcomes, fold }, now)
}

async function checkFold({ store, world, session }: Story): Promise<void> {
  const whole = await refold(store, session.id)
  const stored = await store.log.fold(session.id)
  const items = new Map((await store.log.items(session.id, null, 500)).map((item) => [item.n, item]))
  if (!stored) expect(items.size).toBe(0)
  const lines = await store.log.read(session.id, stored?.seq ?? 0, 10_000)
  const tail = lines.map(({ json }) => parseEvent(JSON.parse(json)))
  const { view } = foldAll(stored?.view ?? emptyView(session.id), tail, items)
  expect(view).toEqual(whole.view)
  expect([...items.values()].sort((a, b) => a.n - b.n)).toEqual([...whole.items.values()].sort((a, b) => a.n - b.n))
  expect(await store.tree.session(world.workspace.id, session.id)).toMatchObject(whole.headline)
  const open = await store.people.interactions(
    world.workspace.id,
    { state: 'open', session: session.id },
    { cursor: null, limit: 500 },
  )
  expect(open.rows.map(({ id }) => id as string).sort()).toEqual(Object.keys(whole.view.open).sort())
}
