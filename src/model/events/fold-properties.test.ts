import fc from 'fast-check'
import { expect, it } from 'vitest'
import { property } from '../../../test/support/property.ts'
import * as log from '../../../test/support/session-log.ts'
import type { Event } from './events.ts'
import { fold, foldAll } from './fold.ts'
import { type Item, SPLIT_CHARS } from './items.ts'
import { emptyView, liveItems, type SessionView } from './view.ts'

/** Few names, so that events speak of each other; any order, since the fold must stand what it gets. */
const few = fc.constantFrom(1, 1, 1, 2, 3)
const words = fc.constantFrom('', 'a', 'two words ', 'x'.repeat(13_000))
const toolId = fc.constantFrom('t1', 't2', 'constructor', '__proto__')
const messageId = fc.constantFrom(undefined, undefined, 'm1', 'm2')
const status = fc.constantFrom(undefined, 'pending', 'in_progress', 'completed', 'failed', 'new_word')
const option = fc.constantFrom('yes', 'no')
const reason = { reason: 'because' }

const updates = fc.oneof(
  fc.tuple(words, messageId).map(([said, id]) => log.says(said, id)),
  fc.tuple(words, messageId).map(([said, id]) => log.thinks(said, id)),
  fc
    .record({ toolCallId: toolId, status, title: fc.constantFrom(undefined, 'Read'), rawOutput: fc.jsonValue() })
    .chain((call) => fc.constantFrom('tool_call', 'tool_call_update').map((kind) => log.update(kind, call))),
  fc.constantFrom(
    log.update('plan', { entries: [{ content: 'one' }] }),
    log.update('plan', { entries: [] }),
    log.update('current_mode_update', { currentModeId: 'ask' }),
    log.update('user_message_chunk', { content: { type: 'image', data: 'AA==', mimeType: 'image/png' } }),
    log.update('what_is_this', { more: 1 }),
  ),
  fc
    .jsonValue()
    .map((said): log.EventDraft => ({ type: 'agent.update', data: { acp: 1, agent: 'codex', update: said } })),
)

const outcomes = fc.oneof(
  fc.constantFrom(2, 3).map((n) => log.admitted(n)),
  few.map(log.started),
  few.map(log.parked),
  few.map(log.resumed),
  few.map((n) => log.ended(n)),
  fc.tuple(few, few).map(([n, of]) => log.opened(n, of)),
  few.map((n) => log.used(n)),
  fc.tuple(few, toolId).map(
    ([n, id]): log.EventDraft => ({
      type: 'permission.ruled',
      data: { run: log.run(n), rule: log.rule(1), action: 'allow', toolCallId: id, title: 'Read' },
    }),
  ),
  few.map((n): log.EventDraft => ({ type: 'prompt.steered', data: { prompt: log.prompt(n), run: log.run(n) } })),
  few.map((n): log.EventDraft => ({ type: 'prompt.deferred', data: { prompt: log.prompt(n), ...reason } })),
  few.map(
    (n): log.EventDraft => ({ type: 'interaction.withdrawn', data: { interaction: log.interaction(n), ...reason } }),
  ),
  fc.tuple(few, few).map(([of, n]) => log.changed(of, n, 'a.txt')),
  fc.tuple(few, few).map(([of, other]) => log.conflicts(of, other, 'a.txt', 'b.txt')),
  fc.constantFrom<log.EventDraft[]>(
    log.acted('files.taken'),
    log.acted('files.restored', { how: 'undo' }),
    { type: 'notice.given', data: { level: 'info', text: 'by the way' } },
    { type: 'context.lost', data: { agent: 'scripted', reason: 'gone' } },
    { type: 'session.forked', data: { from: log.SESSION, seq: 1 } },
    { type: 'session.closed', data: { reason: 'done' } },
  ),
)

const afterwords = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(few, updates).map(([n, said]) => log.afterword(n, said)) },
  fc.tuple(few, few).map(([n, of]) => log.afterword(of, log.opened(n, of))),
  fc.tuple(few, few).map(([of, n]) => log.afterword(of, log.changed(of, n, 'a.txt', 'b.txt'))),
  fc
    .tuple(few, fc.constantFrom(null, 'The server stopped.'))
    .map(([of, why]) => log.background(of, why ? [] : ['job'], why)),
  few.map((of) => log.afterword(of, { type: 'notice.given', data: { level: 'info', text: 'by the way' } })),
)

const requests = fc.oneof(
  fc
    .tuple(few, fc.constantFrom('queue', 'steer', 'interrupt', 'reject'))
    .map(([n, busy]) => log.asked(n, 'words', busy)),
  fc.tuple(few, option).map(([n, id]) => log.answered(n, id)),
  few.map((n): log.EventDraft => ({ type: 'cancel.requested', data: { run: log.run(n), by: log.ADA } })),
  few.map((n): log.EventDraft => ({ type: 'withdrawal.requested', data: { prompt: log.prompt(n), by: log.ADA } })),
)

const logs = fc
  .array(
    fc.oneof(
      { weight: 5, arbitrary: updates },
      { weight: 4, arbitrary: outcomes },
      { weight: 2, arbitrary: requests },
      { weight: 3, arbitrary: afterwords },
    ),
    { minLength: 5, maxLength: 60, size: 'max' },
  )
  .map((said) => log.logOf([...log.underWay(1), ...said]))
/** Whole numbers, since doubles are nearly always next to nothing. */
const part = fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100)
const cut = (events: readonly Event[], at: number) => Math.floor(at * events.length)

interface Seen {
  view: SessionView
  items: Map<number, Item>
}

/** Returns the state after each event of a log, with the empty state first. */
function seeAll(events: readonly Event[]): Seen[] {
  const seen: Seen[] = [{ view: emptyView(log.SESSION), items: new Map() }]
  for (const event of events) {
    const items = new Map(seen.at(-1)?.items)
    seen.push({ view: foldAll(seen.at(-1)!.view, [event], items).view, items })
  }
  return seen
}

/** As it would come over a wire or out of a row. */
const sent = <T>(value: T): T => JSON.parse(JSON.stringify(value))
const holds = (name: string, of: () => fc.IProperty<never>) =>
  property(name, 300, (numRuns) => fc.assert(of(), { numRuns }))

holds('L9: a log folded twice says the same, also in two halves and with reads that overlap', () => {
  const held = fc.property(logs, part, part, (events, a, b) => {
    const all = seeAll(events).at(-1)
    const [low, high] = [cut(events, Math.min(a, b)), cut(events, Math.max(a, b))]
    const items = new Map<number, Item>()
    const first = foldAll(emptyView(log.SESSION), events.slice(0, high), items).view
    const second = foldAll(first, events.slice(low), items).view
    expect(foldAll(second, events, items).items).toEqual([])
    expect({ view: second, items }).toEqual(all)
  })
  return held as never
})

holds('L9: items stored as of a mark, and the events after it, are the full fold', () => {
  const held = fc.property(logs, part, (events, at) => {
    const seen = seeAll(events)
    const mark = seen[cut(events, at)]!
    const items = new Map(sent([...mark.items]))
    const { view } = foldAll(sent(mark.view), events, items)
    expect(sent({ view, items: [...items] })).toEqual(sent({ ...seen.at(-1)!, items: [...seen.at(-1)!.items] }))
  })
  return held as never
})

holds('L9: whoever folds on needs the live items only', () => {
  const held = fc.property(logs, (events) => {
    const stored = new Map<number, Item>()
    let view = emptyView(log.SESSION)
    for (const event of events) {
      const live = new Map(liveItems(view).map((n) => [n, stored.get(n)!]))
      const folded = fold(view, event, (n) => live.get(n))
      for (const item of folded.items) stored.set(item.n, item)
      view = folded.view
    }
    expect({ view, items: stored }).toEqual(seeAll(events).at(-1))
  })
  return held as never
})

holds('L9: a page with only the newest items, and later an older page, always shows what the full fold shows', () => {
  const held = fc.property(logs, part, part, part, fc.integer({ min: 1, max: 8 }), (events, ...choices) => {
    const [openedAt, pagedAt, ahead, count] = choices
    const seen = seeAll(events)
    const mark = cut(events, openedAt)
    const page = mark + Math.floor(pagedAt * (events.length - mark))
    // The server may be ahead of the stream when it answers for the older page.
    const pageSeq = page + Math.floor(ahead * (events.length - page))
    const { view: start, items: all } = seen[mark]!
    const items = new Map([...all].slice(-count))
    const from = Math.min(...items.keys())
    let view = sent(start)
    for (let seq = mark; seq <= events.length; seq += 1) {
      if (seq > mark) view = foldAll(view, [events[seq - 1]!], items).view
      if (seq === page) {
        for (const [n, item] of seen[pageSeq]!.items) if (n < from && all.size > 0) items.set(n, item)
      }
      expect(sent(view)).toEqual(sent(seen[seq]!.view))
      for (const [n, item] of items) {
        const older = n < from && all.size > 0
        expect(item).toEqual(seen[older ? Math.max(seq, pageSeq) : seq]!.items.get(n))
      }
    }
  })
  return held as never
})

holds('L11: afterwords of one run change nothing of the run under way', () => {
  const spoken = fc.array(
    fc.oneof(
      updates,
      afterwords.map((said) => ({ ...said, after: true })),
    ),
    { maxLength: 30 },
  )
  const held = fc.property(spoken, (mixed) => {
    const before = [...log.underWay(1), log.says('first'), log.ended(1), ...log.underWay(2)]
    const own = (drafts: readonly log.EventDraft[]) => {
      const { items, view } = log.seeLog([...before, ...drafts])
      const plain = ({ n: _n, seq: _seq, at: _at, ...item }: Item & { startedAt?: unknown; endedAt?: unknown }) => ({
        ...item,
        startedAt: 0,
        endedAt: item.endedAt == null ? null : 0,
      })
      const ofRun = [...items.values()].filter((item) => item.n > 5 && !item.afterword && item.run !== log.run(1))
      return { items: ofRun.map(plain), run: { ...view.run, given: [] }, unfinished: view.index.unfinished }
    }
    const ofFirst = mixed.map((said) => ('after' in said ? { ...said, run: log.run(1) } : said)).filter(isOfFirst)
    expect(own(ofFirst)).toEqual(own(ofFirst.filter((said) => !('after' in said))))
  })
  return held as never
})

/** Afterwords name run 1 in their data too. */
const isOfFirst = ({ data }: log.EventDraft) => ((data as { run?: unknown }).run ?? log.run(1)) === log.run(1)

it('L9: a page that begins behind the open text numbers what follows like the full fold: by another messageId, and by its length', () => {
  for (const [first, next] of [
    [log.says('a'), [log.says('b', 'm1'), log.says('c', 'm2')]],
    [log.thinks('a'), [log.thinks('b', 'm1'), log.thinks('c', 'm2')]],
    [log.says('a'), [log.says('x'.repeat(SPLIT_CHARS)), log.says('c')]],
    [log.thinks('a'), [log.thinks('x'.repeat(SPLIT_CHARS)), log.thinks('c')]],
  ] as const) {
    const events = log.logOf([...log.underWay(1), first, log.changed(1, 1, 'a.txt'), ...next])
    const seen = seeAll(events)
    const mark = events.length - next.length
    const newest = new Map([...seen[mark]!.items].slice(-1))
    expect([...newest.values()].map(({ kind }) => kind)).toEqual(['files'])
    const { view } = foldAll(seen[mark]!.view, events, newest)
    const all = seen.at(-1)!
    expect(view).toEqual(all.view)
    expect(newest.get(events.length)).toEqual(all.items.get(events.length))
    expect(newest.get(events.length)).toMatchObject({ seq: events.length })
  }
})

holds('the fold changes nothing that it was given', () => {
  const held = fc.property(logs, (events) => {
    const items = new Map<number, Item>()
    let view = freeze(emptyView(log.SESSION))
    for (const event of events) {
      const folded = fold(view, freeze(event), (n) => items.get(n))
      for (const item of folded.items) items.set(item.n, freeze(item))
      view = freeze(folded.view)
    }
    expect(view.seq).toBe(events.length)
  })
  return held as never
})

holds('an item keeps its number, and its seq is the last event that changed it', () => {
  const held = fc.property(logs, (events) => {
    const seen = seeAll(events)
    for (const [index, { items }] of seen.entries()) {
      const before = seen[index - 1]?.items ?? new Map<number, Item>()
      for (const [n, item] of items) {
        expect(item.n).toBe(n)
        const same = before.get(n) === item
        expect(item.seq).toBe(same ? before.get(n)?.seq : index)
      }
    }
  })
  return held as never
})

function freeze<T>(value: T): T {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const part of Object.values(value)) freeze(part)
  }
  return value
}
