import { type Event, type EventType, parseEvent } from '../../src/model/events/events.ts'
import { foldAll } from '../../src/model/events/fold.ts'
import type { Item } from '../../src/model/events/items.ts'
import { emptyView, type SessionView } from '../../src/model/events/view.ts'
import { ActId, InteractionId, PromptId, RuleId, RunId, SessionId } from '../../src/model/ids.ts'

/** Builds logs of sessions for tests of `model`: well-formed ids, one step of time per event, no store. */
const tail = (n: number) => String(n).padStart(26, '0')
export const SESSION = SessionId.parse(`ses_${tail(1)}`)
export const run = (n: number) => RunId.parse(`run_${tail(n)}`)
export const prompt = (n: number) => PromptId.parse(`pmt_${tail(n)}`)
export const interaction = (n: number) => InteractionId.parse(`int_${tail(n)}`)
export const rule = (n: number) => RuleId.parse(`rul_${tail(n)}`)
export const act = (n: number) => ActId.parse(`act_${tail(n)}`)
export const ADA = { name: 'ada', kind: 'person', face: 'web' } as const

export interface EventDraft {
  readonly type: EventType
  readonly data: unknown
  readonly run?: string | null
}

/** Numbers events as a store does; each must have the shape of its type. `at` is the seq times ten. */
export function logOf(drafts: readonly EventDraft[]): Event[] {
  return drafts.map(({ type, data, run: of }, index) =>
    parseEvent({ session: SESSION, seq: index + 1, at: (index + 1) * 10, run: of ?? null, type, data }),
  )
}

export interface Seen {
  readonly view: SessionView
  readonly items: Map<number, Item>
}

export function seeLog(drafts: readonly EventDraft[]): Seen {
  const items = new Map<number, Item>()
  const { view } = foldAll(emptyView(SESSION), logOf(drafts), items)
  return { view, items }
}

/** Returns the one item of a kind. @throws Error when there are more or fewer */
export function only<Kind extends Item['kind']>({ items }: Seen, kind: Kind): Extract<Item, { kind: Kind }> {
  const found = [...items.values()].filter((item) => item.kind === kind)
  if (found.length !== 1) throw new Error(`there are ${found.length} items of kind ${kind}, not one`)
  return found[0] as Extract<Item, { kind: Kind }>
}

export const text = (value: string) => [{ type: 'text' as const, text: value }]

export const asked = (n: number, request = 'do it', busy = 'queue'): EventDraft => ({
  type: 'prompt.requested',
  data: { prompt: prompt(n), content: text(request), agent: 'scripted', busy, by: ADA },
})

export const admitted = (n: number, of = n): EventDraft => ({
  type: 'run.admitted',
  run: run(n),
  data: {
    run: run(n),
    prompt: prompt(of),
    agent: 'scripted',
    place: { kind: 'direct', path: '/home/ada/work' },
    budgetMs: null,
  },
})

export const started = (n: number): EventDraft => ({
  type: 'run.started',
  run: run(n),
  data: { run: run(n), acpSession: 'acp-1' },
})

export const parked = (n: number): EventDraft => ({
  type: 'run.parked',
  run: run(n),
  data: { run: run(n), reason: 'waits' },
})

export const resumed = (n: number): EventDraft => ({
  type: 'run.resumed',
  run: run(n),
  data: { run: run(n), acpSession: 'acp-2' },
})

export const ended = (n: number, outcome = 'completed'): EventDraft => ({
  type: 'run.ended',
  run: run(n),
  data: { run: run(n), outcome, stopReason: 'end_turn', usage: { input: 1 }, error: null, halfDone: [] },
})

/** A started run: prompt, admission, start. Three events. */
export const underWay = (n = 1): EventDraft[] => [asked(n), admitted(n), started(n)]

export const update = (sessionUpdate: string, rest: object = {}): EventDraft => ({
  type: 'agent.update',
  data: { acp: 1, agent: 'scripted', update: { sessionUpdate, ...rest } },
})

export const says = (text: string, messageId?: string): EventDraft =>
  update('agent_message_chunk', { content: { type: 'text', text }, ...(messageId && { messageId }) })

/** The same event, said by the agent after the end of run `of`. */
export const afterword = (of: number, { type, data }: EventDraft): EventDraft => ({
  type,
  run: run(of),
  data: { ...(data as object), afterword: true },
})

/** The work that the agent goes on with after run `of`; with `cut`, the reason why Carrel ended it. */
export const background = (of: number, work: readonly string[], cut: string | null = null): EventDraft => ({
  type: 'background.changed',
  run: run(of),
  data: { run: run(of), agent: 'scripted', work, cut },
})

export const thinks = (text: string, messageId?: string): EventDraft =>
  update('agent_thought_chunk', { content: { type: 'text', text }, ...(messageId && { messageId }) })

export const permission = {
  kind: 'permission' as const,
  title: 'Run npm test',
  body: null,
  options: [
    { id: 'yes', label: 'Yes', kind: 'allow_once' },
    { id: 'no', label: 'No', kind: 'reject_once' },
  ],
  toolCallId: 't1',
  toolKind: 'execute',
  paths: [],
  command: 'npm test',
}

export const opened = (n: number, of = 1, expiresAt: number | null = null): EventDraft => ({
  type: 'interaction.opened',
  run: run(of),
  data: {
    interaction: interaction(n),
    run: run(of),
    agent: 'scripted',
    question: permission,
    fingerprint: `print-${n}`,
    expiresAt,
  },
})

export const answered = (n: number, option = 'yes'): EventDraft => ({
  type: 'interaction.answered',
  data: { interaction: interaction(n), answer: { option }, by: ADA },
})

/** The changes of a run until snapshot `n`. */
export const changed = (of: number, n: number, ...paths: string[]): EventDraft => ({
  type: 'snapshot.taken',
  run: run(of),
  data: {
    run: run(of),
    place: 'space:here',
    from: 1,
    n,
    reason: 'tool',
    counts: { created: 0, modified: paths.length, deleted: 0 },
    files: paths.map((path) => ({ path, change: 'modified' })),
  },
})

/** Another running session changed the same paths. */
export const conflicts = (of: number, other: number, ...paths: string[]): EventDraft => ({
  type: 'files.conflicted',
  run: run(of),
  data: { place: 'space:here', paths, other: { session: SESSION, run: run(other) } },
})

export const acted = (type: 'files.restored' | 'files.taken' | 'files.applied', more: object = {}): EventDraft => ({
  type,
  data: { act: act(1), by: ADA, place: 'space:here', before: 4, after: 5, count: 1, paths: ['a.txt'], ...more },
})

export const used = (n: number, of = 1): EventDraft => ({
  type: 'grant.used',
  run: run(of),
  data: { interaction: interaction(n), run: run(of), toolCallId: 't9' },
})
