import type { InteractionId } from '../ids.ts'
import { NOTHING_SPENT, withoutRun } from '../settings/spending.ts'
import { applyUpdate } from './acp1.ts'
import { clip } from './clip.ts'
import { agentOf, closeTexts, type FoldDraft, freshItem, interruptTools, notice, own, patchAgent } from './draft.ts'
import type { Event, EventOf, EventType } from './events.ts'
import { agentOfEnded, foldAfterword, heardOf, keepEnded } from './fold-afterwords.ts'
import { FILES } from './fold-files.ts'
import { QUESTIONS, settleQuestion } from './fold-questions.ts'
import type { Item, RunItem } from './items.ts'
import { type AgentView, EMPTY_INDEX, type QueuedPrompt, type SessionView } from './view.ts'

/**
 * Finds an item by its `n`; undefined when it is not loaded (an older page), and then the fold skips it. The fold also
 * skips an item that is ahead of the view: an older page that was read later.
 */
export type ItemLookup = (n: number) => Item | undefined

export interface Folded {
  readonly view: SessionView
  /** Items that the event created or changed, each once, oldest first. */
  readonly items: readonly Item[]
}

/**
 * Folds one event into a view and its items. Pure: the same log gives the same items on the server, in the browser,
 * live and in replay (L9). An event already in the view is skipped, so overlapping reads are harmless.
 */
export function fold(view: SessionView, event: Event, lookup: ItemLookup): Folded {
  if (event.seq <= view.seq) return { view, items: [] }
  const changed = new Map<number, Item>()
  const draft: FoldDraft = {
    view: { ...view, seq: event.seq },
    event,
    get: (n) => changed.get(n) ?? lookup(n),
    put: (item) => {
      const known = lookup(item.n)
      if (!known || known.seq < event.seq) changed.set(item.n, item)
    },
  }
  const handler = own(HANDLERS, event.type) as ((draft: FoldDraft, event: Event) => void) | null | undefined
  handler?.(draft, event)
  return { view: draft.view, items: [...changed.values()].sort((a, b) => a.n - b.n) }
}

/** Folds many events over a map of items, which it updates. Returns the view and the changed items, oldest first. */
export function foldAll(view: SessionView, events: Iterable<Event>, items: Map<number, Item>): Folded {
  const changed = new Map<number, Item>()
  let current = view
  for (const event of events) {
    const folded = fold(current, event, (n) => items.get(n))
    current = folded.view
    for (const item of folded.items) {
      items.set(item.n, item)
      changed.set(item.n, item)
    }
  }
  return { view: current, items: [...changed.values()].sort((a, b) => a.n - b.n) }
}

type Handlers = { [Type in EventType]: ((draft: FoldDraft, event: EventOf<Type>) => void) | null }

const HANDLERS: Handlers = {
  'prompt.requested': (draft, { data, at, seq }) => {
    const queued: QueuedPrompt = { ...data, at, seq, deferred: null }
    draft.view.agent = data.agent
    if (data.busy === 'steer' && draft.view.run) draft.view.steering = [...draft.view.steering, queued]
    else if (data.busy === 'interrupt') draft.view.queue = [queued, ...draft.view.queue]
    else draft.view.queue = [...draft.view.queue, queued]
    if (data.busy === 'interrupt' && draft.view.run) draft.view.run = { ...draft.view.run, cancelling: true }
  },
  'edit.requested': (draft, { data }) => {
    const edit = (queued: QueuedPrompt) =>
      queued.prompt === data.prompt ? { ...queued, content: data.content } : queued
    draft.view.queue = draft.view.queue.map(edit)
    draft.view.steering = draft.view.steering.map(edit)
  },
  'withdrawal.requested': (draft, { data }) => dropPrompt(draft, data.prompt),
  'prompt.withdrawn': (draft, { data }) => dropPrompt(draft, data.prompt),
  'prompt.deferred': (draft, { data }) => {
    const waiting = draft.view.steering.find((queued) => queued.prompt === data.prompt)
    if (!waiting) return
    dropPrompt(draft, data.prompt)
    draft.view.queue = [{ ...waiting, deferred: data.reason }, ...draft.view.queue]
  },
  'prompt.steered': (draft, { data }) => {
    const steered = draft.view.steering.find((queued) => queued.prompt === data.prompt)
    dropPrompt(draft, data.prompt)
    if (!steered) return
    const { prompt, content } = steered
    if (draft.view.run)
      draft.view.run = { ...draft.view.run, steered: [...draft.view.run.steered, { prompt, content }] }
    closeTexts(draft)
    const text = content.map((block) => (block.type === 'text' ? block.text : '')).join('')
    const blocks = content.filter((block) => block.type !== 'text')
    draft.put({ ...freshItem(draft), kind: 'message', role: 'user', text, blocks, continues: false })
  },
  'cancel.requested': (draft, { data }) => {
    if (draft.view.run?.id === data.run) draft.view.run = { ...draft.view.run, cancelling: true }
  },
  'config.requested': (draft, { data }) => {
    const { wanted, pending } = agentOf(draft, data.agent)
    patchAgent(draft, data.agent, {
      wanted: { mode: data.mode ?? wanted.mode, options: { ...wanted.options, ...data.options } },
      pending: { mode: data.mode ?? pending?.mode ?? null, options: { ...pending?.options, ...data.options } },
    })
    draft.view.agent = draft.view.agent ?? data.agent
  },
  'config.applied': (draft, { data }) => {
    const before = agentOf(draft, data.agent)
    const mode = data.error ? before.mode : (data.mode ?? before.mode)
    patchAgent(draft, data.agent, { pending: stillPending(before.pending, data), mode })
    if (data.error) notice(draft, 'warning', data.error)
  },
  'close.requested': (draft) => {
    if (draft.view.state === 'open') draft.view.state = 'closing'
  },
  'session.closed': (draft) => {
    closeTexts(draft)
    interruptTools(draft)
    draft.view.state = 'closed'
    draft.view.queue = []
    draft.view.steering = []
  },
  'session.forked': (draft, { data }) => {
    forgetWork(draft)
    notice(draft, 'info', 'Forked from another session. The events below belong to this session.', data)
  },
  'run.admitted': (draft, { data, at, seq }) => {
    const queued = [...draft.view.queue, ...draft.view.steering].find((each) => each.prompt === data.prompt)
    dropPrompt(draft, data.prompt)
    closeTexts(draft)
    // Agents may start a tool after their run ended; no event will report its end.
    interruptTools(draft)
    const content = queued?.content ?? []
    draft.view.run = {
      ...data,
      id: data.run,
      n: seq,
      content: [...content],
      state: 'admitted',
      admittedAt: at,
      startedAt: null,
      cancelling: false,
      turns: 0,
      steered: [],
      given: [],
      spent: NOTHING_SPENT,
    }
    draft.view.raised = withoutRun(draft.view.raised)
    draft.view.agent = data.agent
    draft.view.index = EMPTY_INDEX
    draft.view.changed = 0
    draft.put({
      ...freshItem(draft),
      run: data.run,
      kind: 'run',
      prompt: data.prompt,
      content: [...content],
      by: queued?.by ?? null,
      agent: data.agent,
      state: 'admitted',
      outcome: null,
      stopReason: null,
      startedAt: null,
      endedAt: null,
      usage: null,
      error: null,
      halfDone: [],
    })
  },
  'run.started': (draft, { data, at }) => moveRun(draft, data.run, 'started', at),
  'run.resumed': (draft, { data, at }) => moveRun(draft, data.run, 'started', at),
  'run.parked': (draft, { data, at }) => {
    // Another process continues later: its text is not part of the open message.
    closeTexts(draft)
    moveRun(draft, data.run, 'parked', at)
    const { run } = draft.view
    if (data.spent && run?.id === data.run) draft.view.run = { ...run, spent: data.spent }
  },
  'run.ended': endRun,
  'agent.update': (draft, { data, run }) => {
    if (data.frame !== undefined) patchAgent(draft, data.agent, { frame: data.frame })
    const how = { fromPermission: data.via === 'permission', appended: data.appended }
    const apply = (to: FoldDraft) => applyUpdate(to, data.agent, data.update, how)
    if (!data.afterword || run === null) return apply(draft)
    foldAfterword(draft, data.agent, run, apply)
    heardOf(draft, data.agent, data.update)
  },
  'background.changed': (draft, { data }) => {
    const { run, agent, work, cut } = data
    const { ended } = agentOf(draft, agent)
    patchAgent(draft, agent, { background: work, ended: ended && cut !== null ? { ...ended, left: [] } : ended })
    if (cut === null) return
    foldAfterword(draft, agent, run, (to) => {
      interruptTools(to)
      notice(to, 'warning', cut)
    })
  },
  'context.opened': (draft, { data, at }) => {
    const before = agentOf(draft, data.agent)
    const keeper = data.keeper ?? null
    const { ended } = before
    // The work of an earlier process ended with it.
    if (ended && keeper !== before.keeper) foldAfterword(draft, data.agent, ended.run, interruptTools)
    // The conversation in which the run began its tool calls was closed.
    if (draft.view.run?.agent === data.agent) interruptTools(draft)
    patchAgent(draft, data.agent, {
      ...(keeper !== before.keeper && { background: [] }),
      keeper,
      ...(data.machine !== undefined && { machine: data.machine }),
      // A new process numbers its frames from the beginning.
      frame: keeper === before.keeper ? before.frame : 0,
      openedAt: at,
      acpSession: data.acpSession,
      fingerprint: data.fingerprint,
      status: 'open',
      info: data.info,
      ...offersOf(data.opened),
    })
    if (data.how === 'primed')
      notice(draft, 'info', 'The agent has no memory of this session; Carrel gave it the transcript as text.')
  },
  'context.lost': (draft, { data }) => {
    patchAgent(draft, data.agent, { status: 'lost', acpSession: null })
  },
  'notice.given': (draft, { data, run }) => {
    const agent = data.afterword ? agentOfEnded(draft, run) : null
    const give = (to: FoldDraft) => notice(to, data.level, data.text, clip(data.data).value)
    if (agent && run) foldAfterword(draft, agent, run, give)
    else give(draft)
  },
  ...FILES,
  ...QUESTIONS,
}

/** Returns the settings that were requested meanwhile and that the agent has not received yet. */
function stillPending(pending: AgentView['pending'], applied: NonNullable<AgentView['pending']>): AgentView['pending'] {
  if (!pending) return null
  const mode = pending.mode === applied.mode ? null : pending.mode
  const left = Object.entries(pending.options).filter(([id, value]) => applied.options[id] !== value)
  return mode === null && left.length === 0 ? null : { mode, options: Object.fromEntries(left) }
}

function dropPrompt(draft: FoldDraft, prompt: string): void {
  draft.view.queue = draft.view.queue.filter((queued) => queued.prompt !== prompt)
  draft.view.steering = draft.view.steering.filter((queued) => queued.prompt !== prompt)
}

function moveRun(draft: FoldDraft, run: string, state: 'started' | 'parked', at: number): void {
  const current = draft.view.run
  if (current?.id !== run) return
  const startedAt = current.startedAt ?? (state === 'started' ? at : null)
  const turns = state === 'started' ? current.turns + 1 : current.turns
  draft.view.run = { ...current, state, startedAt, turns }
  const item = draft.get(current.n)
  if (item?.kind === 'run') draft.put({ ...item, state, startedAt, seq: draft.event.seq })
}

function endRun(draft: FoldDraft, { data, at, seq }: EventOf<'run.ended'>): void {
  const current = draft.view.run
  if (current?.id !== data.run) return
  closeTexts(draft)
  // The process that asked after an earlier run may still wait for its answer.
  for (const [id, { afterword }] of Object.entries(draft.view.open))
    if (!afterword) settleQuestion(draft, id as InteractionId, 'withdrawn', null)
  const left = draft.view.index.begun
  interruptTools(draft)
  keepEnded(draft, current.agent, data, left)
  draft.view.run = null
  draft.view.grants = draft.view.grants.filter(({ afterword }) => afterword)
  // A prompt that should have joined the ended run is next in the queue.
  draft.view.queue = [
    ...draft.view.steering.map((queued) => ({ ...queued, deferred: 'The run ended first.' })),
    ...draft.view.queue,
  ]
  draft.view.steering = []
  draft.view.lastRun = { id: data.run, agent: current.agent, outcome: data.outcome, endedAt: at }
  const item = draft.get(current.n)
  if (item?.kind !== 'run') return
  const { outcome, stopReason, usage, error, halfDone, spent } = data
  const ended: RunItem = { ...item, state: 'ended', outcome, stopReason, usage, error, halfDone, endedAt: at, seq }
  draft.put(spent ? { ...ended, workedMs: spent.ms } : ended)
}

function forgetWork(draft: FoldDraft): void {
  closeTexts(draft)
  for (const id of Object.keys(draft.view.open)) settleQuestion(draft, id as InteractionId, 'withdrawn', null)
  interruptTools(draft)
  const run = draft.view.run && draft.get(draft.view.run.n)
  if (run?.kind === 'run') {
    draft.put({
      ...run,
      state: 'ended',
      outcome: 'cancelled',
      stopReason: 'forked',
      endedAt: draft.event.at,
      seq: draft.event.seq,
    })
  }
  Object.assign(draft.view, {
    run: null,
    grants: [],
    queue: [],
    steering: [],
    state: 'open',
    agents: {},
    lastRun: null,
    changed: 0,
    raised: {},
    index: { ...draft.view.index, files: null },
  })
}

/** Reads modes and options from the answer to `session/new` or `session/load`; the log keeps the rest. */
function offersOf(opened: unknown): Partial<AgentView> {
  const { modes, configOptions } = (opened ?? {}) as {
    modes?: { currentModeId?: unknown; availableModes?: unknown }
    configOptions?: unknown
  }
  const offers: { -readonly [Key in keyof AgentView]?: AgentView[Key] } = {}
  if (Array.isArray(modes?.availableModes)) {
    offers.modes = modes.availableModes.flatMap((mode) =>
      typeof mode?.id === 'string'
        ? [
            {
              id: mode.id,
              name: String(mode.name ?? mode.id),
              description: typeof mode.description === 'string' ? mode.description : null,
            },
          ]
        : [],
    )
    offers.mode = typeof modes.currentModeId === 'string' ? modes.currentModeId : null
  }
  if (Array.isArray(configOptions)) offers.options = configOptions
  return offers
}
