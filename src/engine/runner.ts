import type { AgentListener } from '../host/agent.ts'
import { asCarrelError, CarrelError } from '../model/errors.ts'
import type { ContentBlock } from '../model/events.ts'
import { EMPTY_AGENT, type RunView, type SessionView } from '../model/view.ts'
import type { LiveContext, Seat } from './agent-pool.ts'
import { type Asking, createAsking } from './asking.ts'
import { formQuestion, formReply, permissionQuestion, permissionReply } from './questions.ts'
import { applyConfig, openContext, takeSeat } from './run-context.ts'
import { recordEnd, type TurnEnd } from './run-end.ts'
import type { RunWork } from './run-work.ts'

/** How long a cancelled agent has to say so before its process is ended; with the kill it stays under 3 s (P2). ms. */
const CANCEL_GRACE_MS = 2_000
/** Updates that still come right behind an agent's answer belong to the run. ms. */
const LATE_UPDATES_MS = 20
const GO_ON =
  'The question you asked has been answered. Go on with the task where you stopped; if you need the same permission, ask for it again.'

/**
 * Serves the run that a session's view says is on, from a process to its end, or until it is parked.
 * Log to agent: whatever the view says people want (cancel, answers, steering, settings). Agent to log: the recorder.
 *
 *   seat -> context -> [lease proven, run.started written] -> prompt -> turn -> run.ended | run.parked
 */
export async function serveRun(work: RunWork, how: 'start' | 'resume'): Promise<void> {
  const run = work.recorder.view.run
  if (!run) return
  const calledOff = new AbortController()
  const signal = AbortSignal.any([work.lease.lost, calledOff.signal])
  const unwatch = work.recorder.onView((view) => view.run?.cancelling && calledOff.abort())
  const stop = () => calledOff.abort()
  work.stopping.addEventListener('abort', stop, { once: true })
  let seat: Seat | null = null
  try {
    if (work.recorder.view.run?.cancelling || work.stopping.aborted) calledOff.abort()
    const asking = createAsking(work, run)
    const listener = listenerOf(work, run, asking)
    seat = await takeSeat(work, run, signal)
    const { live, primer } = await openContext(work, run, seat, listener, signal)
    await applyConfig(work, run, live, seat.live === null)
    const end = signal.aborted
      ? cancelledBefore()
      : await takeTurn(
          { work, run, seat, live, asking },
          how === 'start' ? [...primer, ...run.content] : [...primer, { type: 'text', text: GO_ON }],
          how,
        )
    await finish(work, run, seat, live, asking, end)
  } catch (thrown) {
    if (work.lease.lost.aborted) {
      // Overtaken: another node may act for this session now, so nothing of ours may go on (S3).
      await seat?.kill()
      throw thrown
    }
    const end: TurnEnd = calledOff.signal.aborted ? cancelledBefore() : { kind: 'failed', error: thrown }
    await recordEnd(work, run, end, seat)
  } finally {
    unwatch()
    work.stopping.removeEventListener('abort', stop)
    seat?.leave()
  }
}

const cancelledBefore = (): TurnEnd => ({ kind: 'cancelled', why: 'cancelled', answered: true })

function listenerOf({ recorder }: RunWork, run: RunView, asking: Asking): AgentListener {
  const update = (said: unknown) =>
    recorder.push({ type: 'agent.update', run: run.id, data: { acp: 1, agent: run.agent, update: said } })
  return {
    update,
    // A replay is known already; only what an agent offers now, and no transcript, is news in it.
    replayed: (said) => {
      if (OFFERS.has(String((said as { sessionUpdate?: unknown } | null)?.sessionUpdate))) update(said)
    },
    async permission(request, signal) {
      const answer = await asking.ask(permissionQuestion(request), signal)
      return answer ? permissionReply(answer) : { outcome: 'cancelled' }
    },
    async elicit(request, signal) {
      const question = formQuestion(request)
      const answer = await asking.ask(question, signal)
      return answer ? formReply(question, answer) : { action: 'cancel' }
    },
    wrote: () => undefined,
    notice: (text, data) =>
      recorder.push({
        type: 'notice.given',
        run: run.id,
        data: { level: 'warning', text, ...(data === undefined ? {} : { data }) },
      }),
  }
}

const OFFERS = new Set([
  'available_commands_update',
  'current_mode_update',
  'config_option_update',
  'usage_update',
  'session_info_update',
])

interface Turn {
  readonly work: RunWork
  readonly run: RunView
  readonly seat: Seat
  readonly live: LiveContext
  readonly asking: Asking
}

/** Gives the prompt to the agent and stays until the turn is over, one way or another. */
async function takeTurn(turn: Turn, content: readonly ContentBlock[], how: 'start' | 'resume'): Promise<TurnEnd> {
  const { work, run, live, asking } = turn
  const { recorder, lease, ctx } = work
  // The lease is proven and the start is on disk before the prompt reaches the agent: nobody is asked twice (S3).
  await lease.renew()
  const data = { run: run.id, acpSession: live.session.id }
  await recorder.record(
    how === 'start' ? { type: 'run.started', run: run.id, data } : { type: 'run.resumed', run: run.id, data },
  )
  const ends = Promise.withResolvers<TurnEnd>()
  const prompts = promptKeeper(turn, ends.resolve)
  const cancel = createCancel(turn, ends.resolve)
  const react = (view: SessionView) => {
    if (view.run?.id !== run.id) return
    if (view.run.cancelling) return cancel.begin('cancelled')
    const reactions = [asking.react(view), steer(turn, prompts, view), configure(turn, view)]
    Promise.all(reactions).catch((error) => ends.resolve({ kind: 'failed', error }))
  }
  const timers = createTimers(turn, {
    park: () => ends.resolve({ kind: 'parked', reason: 'It waits for a person.' }),
    overBudget: () => cancel.begin('over_budget'),
    expire: () => react(recorder.view),
  })
  const onStopping = () =>
    asking.open > 0
      ? ends.resolve({ kind: 'parked', reason: 'The server was stopped while it waited for a person.' })
      : cancel.begin('stopped')
  const onLost = () => ends.reject(asCarrelError(lease.lost.reason))
  const unwatch = recorder.onView(react)
  asking.onChange(timers.look)
  work.stopping.addEventListener('abort', onStopping, { once: true })
  lease.lost.addEventListener('abort', onLost, { once: true })
  try {
    prompts.send(content)
    if (lease.lost.aborted) onLost()
    if (work.stopping.aborted) onStopping()
    react(recorder.view)
    const end = await ends.promise
    if (end.kind === 'answered') await new Promise((resolve) => setTimeout(resolve, LATE_UPDATES_MS))
    return end.kind === 'answered' && cancel.why !== null ? { kind: 'cancelled', why: cancel.why, answered: true } : end
  } finally {
    unwatch()
    timers.clear()
    cancel.clear()
    work.stopping.removeEventListener('abort', onStopping)
    lease.lost.removeEventListener('abort', onLost)
    void ctx
  }
}

/** Prompts under way in this turn: the first and those that steer. The turn is answered when all are. */
function promptKeeper({ live, asking }: Turn, end: (end: TurnEnd) => void) {
  let under = 0
  return {
    send(content: readonly ContentBlock[]) {
      under += 1
      live.session.prompt(content).then(
        ({ stopReason, raw }) => {
          under -= 1
          if (under === 0) end({ kind: 'answered', stopReason, raw })
        },
        (error) => {
          // Whoever asked is gone, but the question and its answer outlive it (I2).
          if (asking.open > 0) end({ kind: 'parked', reason: 'The agent ended while it waited for a person.' })
          else end({ kind: 'failed', error })
        },
      )
    },
  }
}

function createCancel({ live, seat }: Turn, end: (end: TurnEnd) => void) {
  let why: 'cancelled' | 'over_budget' | 'stopped' | null = null
  let timer: NodeJS.Timeout | null = null
  return {
    get why() {
      return why
    },
    begin(reason: 'cancelled' | 'over_budget' | 'stopped') {
      if (why !== null) return
      why = reason
      live.session.cancel()
      timer = setTimeout(() => end({ kind: 'cancelled', why: reason, answered: false }), CANCEL_GRACE_MS)
      void seat
    },
    clear() {
      if (timer) clearTimeout(timer)
    },
  }
}

/** Time budget (waiting for a person does not count), parking, and the next expiry of a question. */
function createTimers({ work, run, asking }: Turn, on: { park(): void; overBudget(): void; expire(): void }) {
  const { ctx, recorder } = work
  let leftMs = run.budgetMs
  let runningSince: number | null = ctx.now()
  let budget: NodeJS.Timeout | null = null
  let park: NodeJS.Timeout | null = null
  let expiry: NodeJS.Timeout | null = null
  const clear = () => {
    for (const timer of [budget, park, expiry]) if (timer) clearTimeout(timer)
    budget = park = expiry = null
  }
  const look = () => {
    clear()
    const now = ctx.now()
    if (runningSince !== null && leftMs !== null) leftMs -= now - runningSince
    runningSince = asking.open > 0 ? null : now
    if (asking.open === 0) {
      if (leftMs !== null) budget = setTimeout(on.overBudget, Math.max(0, leftMs))
      return
    }
    park = setTimeout(on.park, ctx.config.parkAfterMs)
    const ends = Object.values(recorder.view.open).flatMap((question) => question.expiresAt ?? [])
    if (ends.length > 0)
      expiry = setTimeout(on.expire, Math.min(2_147_483_647, Math.max(0, Math.min(...ends) - now + 1)))
  }
  look()
  return { look, clear }
}

const steered = new WeakMap<Turn, Set<string>>()

/** Hands text to the running agent where it can take it; else it is next in the queue, and that is said. */
async function steer(
  turn: Turn,
  prompts: { send(content: readonly ContentBlock[]): void },
  view: SessionView,
): Promise<void> {
  const { work, run } = turn
  const seen = steered.get(turn) ?? new Set()
  steered.set(turn, seen)
  for (const waiting of view.steering) {
    if (seen.has(waiting.prompt)) continue
    seen.add(waiting.prompt)
    const { recipe } = await work.ctx.agents.resolve(run.agent)
    const able = recipe.steer === 'prompt' && waiting.agent === run.agent
    try {
      if (able) {
        await work.lease.renew()
        await work.recorder.record({
          type: 'prompt.steered',
          run: run.id,
          data: { prompt: waiting.prompt, run: run.id },
        })
        prompts.send(waiting.content)
      } else {
        const reason = `${recipe.name} takes no text while it works; this is next in the queue.`
        await work.recorder.record({ type: 'prompt.deferred', data: { prompt: waiting.prompt, reason } })
      }
    } catch (thrown) {
      // Withdrawn in the same moment: then there is nothing to hand over.
      if (!(thrown instanceof CarrelError) || thrown.code !== 'gone') throw thrown
    }
  }
}

const configuring = new WeakMap<Turn, unknown>()

async function configure(turn: Turn, view: SessionView): Promise<void> {
  const pending = (view.agents[turn.run.agent] ?? EMPTY_AGENT).pending
  if (!pending || configuring.get(turn) === pending) return
  configuring.set(turn, pending)
  await applyConfig(turn.work, turn.run, turn.live, false)
}

/** Leaves the agent as the end of the turn asks for, then writes the end. */
async function finish(
  work: RunWork,
  run: RunView,
  seat: Seat,
  live: LiveContext,
  asking: Asking,
  end: TurnEnd,
): Promise<void> {
  asking.leave()
  if (end.kind === 'parked') {
    await work.recorder.record({ type: 'run.parked', run: run.id, data: { run: run.id, reason: end.reason } })
    // A run that waits for a person holds no process.
    await letGo(seat, live)
    return
  }
  if (end.kind === 'cancelled') {
    if (!end.answered) await letGo(seat, live)
    else if (seat.alone())
      await seat.connection.killDescendantsBornAfter(work.recorder.view.run?.startedAt ?? run.admittedAt)
  }
  await recordEnd(work, run, end, seat)
}

/** Ends the process where the run has it for itself; else the conversation in it, so that neighbours go on. */
async function letGo(seat: Seat, live: LiveContext): Promise<void> {
  if (seat.alone()) return await seat.kill()
  live.session.cancel()
  await live.session.close().catch(() => undefined)
  seat.drop()
}
