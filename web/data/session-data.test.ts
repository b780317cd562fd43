import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Event } from '../../src/model/events/events.ts'
import { foldAll } from '../../src/model/events/fold.ts'
import type { Item, RunItem } from '../../src/model/events/items.ts'
import { emptyView } from '../../src/model/events/view.ts'
import { property } from '../../test/support/property.ts'
import { admitted, asked, ended, logOf, type Said, SESSION, started } from '../../test/support/session-log.ts'
import { fromPage, merged, type SessionData, withEvents, withNewest, withOlder } from './session-data.ts'

const update = (update: unknown): Said => ({ type: 'agent.update', data: { acp: 1, agent: 'scripted', update } })
const say = (text: string): Said => update({ sessionUpdate: 'agent_message_chunk', content: { type: 'text', text } })
const think = (text: string): Said => update({ sessionUpdate: 'agent_thought_chunk', content: { type: 'text', text } })
const call = (id: string, status: string): Said =>
  update({ sessionUpdate: 'tool_call', toolCallId: id, title: id, status })

/** Two runs whose items still change while later items arrive. */
const LOG: readonly Event[] = logOf([
  asked(1),
  admitted(1),
  started(1),
  ...['a', 'b', 'c'].flatMap((id) => [call(id, 'pending'), say(`${id}1 `), say(`${id}2 `), think(`about ${id}`)]),
  ...['b', 'a'].map((id) => call(id, 'completed')),
  ended(1),
  asked(2),
  admitted(2),
  started(2),
  say('again '),
  call('d', 'pending'),
  say('and '),
  say('again'),
  ended(2),
])

function seenUpTo(seq: number) {
  const items = new Map<number, Item>()
  const { view } = foldAll(emptyView(SESSION), LOG.slice(0, seq), items)
  return { view, items: [...items.values()].sort((a, b) => a.n - b.n) }
}

/** The newest page below `before` as of one event, as the server returns it. */
function pageAt(seq: number, limit: number, before = Number.POSITIVE_INFINITY) {
  const { view, items } = seenUpTo(seq)
  const older = items.filter(({ n }) => n < before)
  const page = older.slice(-limit)
  return { seq, view, items: page, head: headOf(items, page[0]), more: older.length > limit }
}

/** The run of an item, unless the item is the run itself. */
function headOf(items: readonly Item[], part: Item | undefined): RunItem | null {
  const runs = items.filter((item) => item.kind === 'run')
  return (part?.kind !== 'run' && runs.find(({ run }) => run === part?.run)) || null
}

const openedAt = (seq: number, limit: number): SessionData => fromPage(SESSION, pageAt(seq, limit))

type Move =
  | { readonly do: 'follow'; readonly count: number }
  /** A requested page is as of the request or a little later. */
  | { readonly do: 'ask'; readonly ahead: number }
  | { readonly do: 'arrive' }
  | { readonly do: 'let go'; readonly kept: number }

const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({ do: fc.constant('follow' as const), count: fc.integer({ min: 1, max: 7 }) }),
  fc.record({ do: fc.constant('ask' as const), ahead: fc.integer({ min: 0, max: 5 }) }),
  fc.record({ do: fc.constant('arrive' as const) }),
  fc.record({ do: fc.constant('let go' as const), kept: fc.integer({ min: 1, max: 8 }) }),
)

property(
  'L9: pages, events and what is let go, overlapping in any way, give the items of the whole log',
  300,
  (numRuns) => {
    const whole = seenUpTo(LOG.length)
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: LOG.length }),
        fc.integer({ min: 1, max: 12 }),
        fc.array(move, { maxLength: 40 }),
        (seq, limit, moves) => {
          let data = openedAt(seq, limit)
          let head = seq
          let onTheWay: { asked: SessionData; page: ReturnType<typeof pageAt> } | null = null
          const ask = (ahead: number): void => {
            const at = Math.min(LOG.length, head + ahead)
            onTheWay = { asked: data, page: pageAt(at, 3, data.items[0]?.n ?? at + 1) }
            data = { ...data, since: [] }
          }
          const arrive = (): void => {
            if (onTheWay) data = withOlder(data, onTheWay.asked, onTheWay.page)
            onTheWay = null
          }
          const follow = (count: number): void => {
            // A stream that reconnects repeats events.
            data = withEvents(data, LOG.slice(Math.max(0, head - 2), head + count))
            head = Math.min(LOG.length, head + count)
          }
          for (const made of moves) {
            if (made.do === 'follow') follow(made.count)
            else if (made.do === 'arrive') arrive()
            else if (onTheWay) continue
            else if (made.do === 'ask' && data.more) ask(made.ahead)
            else if (made.do === 'let go') data = withNewest(data, made.kept, made.kept)
          }
          follow(LOG.length)
          arrive()
          expect(data.head).toEqual(headOf(whole.items, data.items[0]))
          while (data.more) {
            ask(0)
            arrive()
          }
          expect(data.view).toEqual(whole.view)
          expect(data.items).toEqual(whole.items)
        },
      ),
      { numRuns },
    )
  },
)

it('L9: what the stream tells while an older page is on its way is told of the page, too', () => {
  const running = LOG.findIndex(({ type }) => type === 'run.ended')
  const asked = openedAt(running, 2)
  const data = withEvents({ ...asked, since: [] }, LOG)
  expect(data.head).toMatchObject({ n: 2, state: 'ended' })
  const before = asked.items[0]!.n
  expect(withOlder(data, asked, pageAt(running, 1, before)).head).toEqual(data.head)
  const whole = withOlder(data, asked, pageAt(running, 99, before))
  expect([whole.head, whole.items[0]]).toEqual([null, data.head])
})

it('those who read the newest keep only so many items, with the run that the oldest is part of', () => {
  const data = openedAt(LOG.length, 99)
  expect(withNewest(data, data.items.length, 1)).toBe(data)
  const less = withNewest(data, data.items.length - 1, 2)
  expect(less.items).toEqual(data.items.slice(-2))
  expect([less.more, less.head?.run]).toEqual([true, less.items[0]?.run])
})

it('what did not change stays the same object, so that nothing is drawn again', () => {
  const data = openedAt(LOG.length - 3, 100)
  const next = withEvents(data, LOG.slice(-3))
  expect(next).not.toBe(data)
  expect(next.items[0]).toBe(data.items[0])
  expect(withEvents(next, LOG)).toBe(next)
})

it('of two versions of an item the one that knows more stays', () => {
  const items = seenUpTo(LOG.length).items
  const [item] = items
  const old = { ...item!, seq: item!.seq - 1 }
  expect(merged(items, [old])).toEqual(items)
  expect(merged([old], items)).toEqual(items)
})
