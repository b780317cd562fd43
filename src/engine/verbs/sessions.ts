import type { Parsed } from '../../api/index.ts'
import { CarrelError } from '../../model/errors.ts'
import type { BusyPolicy, ContentBlock } from '../../model/events/events.ts'
import type { Item } from '../../model/events/items.ts'
import { lastWords } from '../../model/events/last-words.ts'
import type { PromptId, RunId, SessionId, WorkspaceId } from '../../model/ids.ts'
import { ACCEPTED, type PromptState, promptStateAfter } from '../../model/prompt-state.ts'
import type { Caller } from '../../model/tree.ts'
import type { Begins, SessionRequest, Submitted } from '../../store/store.ts'
import { enter, mayEnter, noWorkspace, runIn, sessionIn, whoOf } from '../authorize.ts'
import type { Context } from '../context.ts'
import { eventOf, loadFold, readItems, refold } from '../folding.ts'
import type { Op } from '../op.ts'
import { follow } from './follow.ts'

export const viewSession: Op<'sessions.view'> = async (ctx, caller, input) => {
  await sessionIn(ctx, caller, input.workspace, input.id)
  const { view, ...page } = await readItems(ctx.store, input.id, null, input.limit)
  return { seq: view.seq, view, ...page }
}

export const listItems: Op<'sessions.items'> = async (ctx, caller, input) => {
  await sessionIn(ctx, caller, input.workspace, input.id)
  const { items, head, more } = await readItems(ctx.store, input.id, input.before ?? null, input.limit)
  return { items: items.toReversed(), head, more }
}

export const listEvents: Op<'sessions.events'> = async (ctx, caller, input) => {
  await sessionIn(ctx, caller, input.workspace, input.id)
  const lines = await ctx.store.log.read(input.id, input.after, input.limit)
  return { events: lines.map((line) => JSON.parse(line.json)), head: await ctx.store.log.head(input.id) }
}

export const promptSession: Op<'sessions.prompt'> = async (ctx, caller, input, signal) => {
  await checkAgent(ctx, input)
  const data = {
    prompt: ctx.id('prompt') as PromptId,
    content: blocksOf(input.content),
    agent: input.agent ?? null,
    busy: input.busy as BusyPolicy,
    by: whoOf(caller),
  }
  const { seq, earlier, machine } = await submit(ctx, caller, input, { type: 'prompt.requested', data })
  const { prompt } = (earlier as typeof data | null) ?? data
  const accepted = { seq, repeated: earlier !== null, prompt, run: null, outcome: null, text: null }
  const waits = async ({ state }: Pick<PromptState, 'state'>) =>
    state === 'accepted' && !ctx.machines.has({ machine }) ? await ctx.machines.waits(machine) : null
  if (input.wait === 'accepted') return { ...accepted, state: 'accepted', waits: await waits(ACCEPTED) }
  const reached = await waitFor(ctx, caller, input, { prompt, seq, signal })
  return {
    ...accepted,
    ...reached,
    waits: await waits(reached),
    text: reached.run && reached.state === 'ended' ? await readLastWords(ctx, input.id, reached.run) : null,
  }
}

/** Refuses an unknown agent early. The machine of the session decides: another one may know other agents. */
async function checkAgent(ctx: Context, { agent, id }: Parsed<'sessions.prompt'>): Promise<void> {
  if (agent === undefined || ctx.agents.known(agent)) return
  const machine = await ctx.store.machines.ofSession(id)
  if (machine === null || ctx.machines.has({ machine })) await ctx.agents.resolve(agent)
}

interface Addressee {
  readonly workspace: WorkspaceId
  readonly id: SessionId
  readonly key?: string | undefined
}

/** Submits a request. The transaction itself checks that the session is in the workspace (B1). */
async function submit(
  ctx: Context,
  caller: Caller,
  { workspace, id, key }: Addressee,
  asked: SessionRequest,
): Promise<Submitted> {
  if (!mayEnter(caller, workspace)) throw noWorkspace(workspace)
  try {
    const write = (begins: Begins | null) => ctx.store.log.submit(workspace, id, asked, { key, now: ctx.now(), begins })
    if (asked.type !== 'prompt.requested') return await write(null)
    return await ctx.promptDoor.submit({ workspace, session: id, prompt: asked.data }, write)
  } catch (thrown) {
    // The error then names the missing one of session and workspace.
    if (thrown instanceof CarrelError && thrown.code === 'not_found') await sessionIn(ctx, caller, workspace, id)
    throw thrown
  }
}

const blocksOf = (content: string | ContentBlock[]): ContentBlock[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content

interface Awaited {
  readonly prompt: PromptId
  readonly seq: number
  readonly signal: AbortSignal | undefined
}

/**
 * Follows the log after the request until the prompt has the wanted state. Events in the log count even without any time
 * left, so that a repeated call with no time returns the current state. Giving up does not change the run.
 */
async function waitFor(
  ctx: Context,
  caller: Caller,
  input: Parsed<'sessions.prompt'>,
  { prompt, seq, signal }: Awaited,
): Promise<PromptState> {
  const over = new AbortController()
  const until = performance.now() + input.timeoutMs
  let timer: NodeJS.Timeout | undefined
  let reached = ACCEPTED
  const target = { kind: 'session' as const, workspace: input.workspace, session: input.id, after: seq }
  try {
    for await (const followed of follow(
      ctx,
      caller,
      [target],
      AbortSignal.any([over.signal, ...(signal ? [signal] : [])]),
    )) {
      if (followed.kind === 'ended')
        throw new CarrelError('gone', 'The session was deleted while you waited for its answer.')
      if (followed.kind === 'caught-up') {
        const left = until - performance.now()
        if (left <= 0) return reached
        timer = setTimeout(() => over.abort(), left)
        continue
      }
      if (followed.kind === 'files' || followed.kind === 'browsers') continue
      reached = promptStateAfter(reached, eventOf(followed), prompt)
      if (reached.state === 'ended' || reached.state === 'withdrawn') return reached
      if (input.wait === 'started' && reached.state === 'started') return reached
    }
    return reached
  } finally {
    clearTimeout(timer)
  }
}

/** Reads as many items as the last words need: any number of items may have come behind them. */
async function readLastWords({ store }: Context, session: SessionId, run: RunId): Promise<string | null> {
  const items: Item[] = []
  for (;;) {
    const page = await readItems(store, session, items.at(-1)?.n ?? null, 100)
    items.push(...page.items.toReversed())
    const { text, done } = lastWords(items, run)
    if (done || !page.more) return text
  }
}

export const editPrompt: Op<'prompts.edit'> = async (ctx, caller, input) => {
  const data = { prompt: input.prompt, content: blocksOf(input.content), by: whoOf(caller) }
  return accepted(await submit(ctx, caller, input, { type: 'edit.requested', data }))
}

export const withdrawPrompt: Op<'prompts.withdraw'> = async (ctx, caller, input) => {
  const data = { prompt: input.prompt, by: whoOf(caller) }
  return accepted(await submit(ctx, caller, input, { type: 'withdrawal.requested', data }))
}

export const cancelRun: Op<'sessions.cancel'> = async (ctx, caller, input) => {
  await sessionIn(ctx, caller, input.workspace, input.id)
  const run = input.run ?? (await loadFold(ctx.store, input.id)).view.run?.id
  if (!run) throw new CarrelError('gone', 'No run is active in this session, so there is nothing to stop.')
  return accepted(await submit(ctx, caller, input, { type: 'cancel.requested', data: { run, by: whoOf(caller) } }))
}

export const configureSession: Op<'sessions.configure'> = async (ctx, caller, input) => {
  const session = await sessionIn(ctx, caller, input.workspace, input.id)
  if (input.mode === undefined && Object.keys(input.options).length === 0) {
    throw new CarrelError('bad_input', 'Name a mode, or at least one option, to set.')
  }
  const data = {
    agent: input.agent ?? session.agent,
    mode: input.mode ?? null,
    options: input.options,
    by: whoOf(caller),
  }
  return accepted(await submit(ctx, caller, input, { type: 'config.requested', data }))
}

export const closeSession: Op<'sessions.close'> = async (ctx, caller, input) =>
  accepted(await submit(ctx, caller, input, { type: 'close.requested', data: { by: whoOf(caller) } }))

/** Rebuilds under the session's lease, so that no holder overwrites the fold with an older one. */
export const rebuildSession: Op<'sessions.rebuild'> = async (ctx, caller, input) => {
  await sessionIn(ctx, caller, input.workspace, input.id)
  const lease = await ctx.leases.acquire(`session:${input.id}`)
  if (!lease) throw new CarrelError('busy', 'The session is busy. Rebuild it when it is idle.')
  try {
    const write = await refold(ctx.store, input.id)
    await ctx.store.log.rebuild(input.id, write)
    return { seq: write.seq, items: write.items.length }
  } finally {
    await lease.release()
  }
}

export const listRuns: Op<'runs.list'> = async (ctx, caller, input) => {
  if (input.session) await sessionIn(ctx, caller, input.workspace, input.session)
  else await enter(ctx, caller, input.workspace)
  const page = await ctx.store.log.runs(
    input.workspace,
    { session: input.session, live: input.live || undefined },
    { cursor: input.cursor ?? null, limit: input.limit },
  )
  return { runs: [...page.rows], cursor: page.cursor }
}

export const getRun: Op<'runs.get'> = (ctx, caller, input) => runIn(ctx, caller, input.workspace, input.id)

const accepted = ({ seq, earlier }: Submitted) => ({ seq, repeated: earlier !== null })
