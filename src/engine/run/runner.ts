import { AgentFailure, type PromptAnswer } from '../../host/agent/agent.ts'
import { leavesAgents } from '../../model/config.ts'
import { asCarrelError } from '../../model/errors.ts'
import type { ContentBlock } from '../../model/events.ts'
import { isBudgetKey } from '../../model/spending.ts'
import type { RunView, SessionView } from '../../model/view.ts'
import type { LiveContext, Seat } from '../agents/agent-pool.ts'
import { createAsking } from './asking.ts'
import { asked, type Reached } from './budgets.ts'
import { graceMs, rejoinRun, turnTag } from './rejoin.ts'
import { applyConfig, openContext, takeSeat } from './run-context.ts'
import { recordEnd, type TurnEnd } from './run-end.ts'
import { openFiles, type RunFiles } from './run-files.ts'
import { type Ears, listenerOf } from './run-listener.ts'
import type { RunWork } from './run-work.ts'
import type { Turn } from './turn.ts'
import { startMeter, type TurnMeter } from './turn-meter.ts'
import { createTimers } from './turn-timers.ts'
import { createWishes, type Prompts } from './wishes.ts'

/** How long a cancelled agent has to say so before its process is ended; with the kill it stays under 3 s (P2). ms. */
const CANCEL_GRACE_MS = 2_000
const TOLD = { start: 'run.started', resume: 'run.resumed', told: null } as const
const GO_ON =
  'The question you asked has been answered. Go on with the task where you stopped; if you need the same permission, ask for it again.'
const MORE_ALLOWED =
  'You were stopped because a budget of time, turns, tokens or cost was used up. More is allowed now: go on with the task where you stopped.'

/** What was prepared for a run while it was admitted. */
export interface Ready {
  /** Its files, which are being looked at. */
  readonly files?: Promise<RunFiles>
  /** Where its agent can be told at once; its start is in the log then. */
  readonly seat?: Seat | null
}

/**
 * Serves the run that a session's view says is on, from a process to its end, or until it is parked.
 * Log to agent: whatever the view says people want (cancel, answers, steering, settings). Agent to log: the recorder.
 *
 *   seat -> context -> [lease proven, run.started written] -> prompt -> turn -> run.ended | run.parked
 */
export async function serveRun(work: RunWork, how: 'start' | 'resume' | 'rejoin', ready: Ready = {}): Promise<boolean> {
  const run = work.recorder.view.run
  if (!run) return false
  const calledOff = new AbortController()
  const signal = AbortSignal.any([work.lease.lost, calledOff.signal])
  const unwatch = work.recorder.onView((view) => calledOffBy(view) && calledOff.abort())
  const stop = () => calledOff.abort()
  work.stopping.addEventListener('abort', stop, { once: true })
  let seat: Seat | null = ready.seat ?? null
  let files: RunFiles | null = null
  try {
    if (calledOffBy(work.recorder.view) || work.stopping.aborted) calledOff.abort()
    const asking = createAsking(work, run)
    // What is there before the run is looked at while its agent starts.
    files = await (ready.files ?? openFiles(work, run, how))
    const ears = { asking, files }
    const begun =
      how === 'rejoin'
        ? await rejoin(work, run, ears, signal)
        : await begin(work, run, ears, { how: seat ? 'told' : how, seat, signal })
    if (begun === null) return false
    seat = begun.turn.seat
    await finish(begun.turn, ...(await takeTurn(begun.turn, begun.task)))
    return true
  } catch (thrown) {
    if (work.lease.lost.aborted) {
      // Overtaken: another node may act for this session now, so nothing of ours may go on (S3).
      await seat?.kill()
      throw thrown
    }
    // Nobody asked for its end: what no agent has had yet begins again at the next start.
    if (work.stopping.aborted && !calledOffBy(work.recorder.view)) return true
    const end: TurnEnd = calledOff.signal.aborted ? cancelledBefore() : { kind: 'failed', error: thrown }
    await recordEnd(work, run, end, { seat, files, spent: () => run.spent })
    return true
  } finally {
    unwatch()
    work.stopping.removeEventListener('abort', stop)
    files?.leave()
    seat?.leave()
  }
}

interface Begun {
  readonly turn: Turn
  readonly task: Task
}

/** What a turn is about: words for the agent, or the answers to those that it has already. */
type Task =
  | { readonly words: readonly ContentBlock[]; readonly how: 'start' | 'resume' | 'told' }
  | { readonly answers: readonly Promise<PromptAnswer>[] }

/** A process, the agent's memory in it, and what it is to be told. */
async function begin(
  work: RunWork,
  run: RunView,
  ears: Ears,
  { how, signal, seat: ready }: { how: 'start' | 'resume' | 'told'; signal: AbortSignal; seat?: Seat | null },
): Promise<Begun> {
  const listener = listenerOf(work, run, ears, 0)
  const at = ears.files.opened.place
  const seat = ready ?? (await takeSeat(work, run, at, signal))
  try {
    const { live, primer } = await openContext(work, run, { seat, at }, listener, signal)
    await applyConfig(work, run, live, seat.live === null)
    await ears.files.begun()
    // What is in the log as begun is told and then stopped, when the server ends: nobody would take it for not begun.
    const leaving = how === 'told' && !calledOffBy(work.recorder.view)
    if (leaving) work.lease.lost.throwIfAborted()
    else signal.throwIfAborted()
    const words: ContentBlock[] = how === 'resume' ? [{ type: 'text', text: goOn(work, run) }] : [...run.content]
    return { turn: { work, run, seat, live, ...ears }, task: { words: [...primer, ...words], how } }
  } catch (thrown) {
    seat.leave()
    throw thrown
  }
}

/** Why it may go on: its own questions have answers, or people allowed more. */
const goOn = ({ recorder }: RunWork, run: RunView): string =>
  recorder.view.grants.length === 0 && isBudgetKey(run.given.at(-1)?.fingerprint ?? '') ? MORE_ALLOWED : GO_ON

/**
 * The turn that an earlier life of this server began, as far as its agent is by now. Null when nobody is left who could
 * bring it to its end: then what was said is written, and the run is parked or lost as its log says.
 */
async function rejoin(work: RunWork, run: RunView, ears: Ears, signal: AbortSignal): Promise<Begun | null> {
  const at = ears.files.opened.place
  const joined = await rejoinRun(work, run, at, (heardBefore) => listenerOf(work, run, ears, heardBefore))
  await work.recorder.record()
  if (!joined) return null
  const { seat, live } = joined
  const own = joined.prompts.filter(
    ({ tag }) => tag === turnTag(run) || run.steered.some(({ prompt }) => prompt === tag),
  )
  const told = own.find(({ tag }) => tag === turnTag(run))
  if (told && (seat.connection.usable || (await isAnswered(told.answer)))) {
    const late = run.steered.filter(({ prompt }) => !own.some(({ tag }) => tag === prompt))
    const sent = late.map(({ prompt, content }) => live.session.prompt(content, prompt))
    const answers = [...own.map(({ answer }) => answer), ...sent]
    return { turn: { work, run, seat, live, ...ears }, task: { answers } }
  }
  await seat.kill()
  seat.leave()
  if (told) return null
  // The log was ahead of the agent: it had not been told yet.
  const begun = await begin(work, run, ears, { how: run.turns > 1 ? 'resume' : 'start', signal })
  return { ...begun, task: { ...begun.task, how: 'resume' } as Task }
}

/** An error that the agent answered is an answer too; that it ended is none. */
const isAnswered = (answer: Promise<unknown>) =>
  answer.then(
    () => true,
    (thrown) => thrown instanceof AgentFailure && thrown.code !== undefined,
  )

const cancelledBefore = (): TurnEnd => ({ kind: 'cancelled', why: 'cancelled', answered: true })

/** Gives the prompt to the agent and stays until the turn is over, one way or another. */
async function takeTurn(turn: Turn, task: Task): Promise<[TurnEnd, TurnMeter]> {
  const { work, run, seat, live, asking } = turn
  const { recorder, lease } = work
  const data = { run: run.id, acpSession: live.session.id }
  // The lease is proven and the start is on disk before the prompt reaches the agent: nobody is asked twice (S3).
  // Asked for at once, since both then share one flush of the disk; of a warm start both are done.
  const told = 'answers' in task ? null : TOLD[task.how]
  if ('answers' in task || told !== null)
    await Promise.all([lease.renew(), told && recorder.record({ type: told, run: run.id, data })])
  const ends = Promise.withResolvers<TurnEnd>()
  const cancel = createCancel(turn, ends.resolve)
  let reached: Reached | null = null
  const meter = await startMeter(turn, 'answers' in task, (at) => {
    reached = at
    cancel.begin('over_budget')
  })
  const deadlineAt = meter.leftMs !== null && seat.alone() ? work.ctx.now() + meter.leftMs : null
  seat.connection.limits({ graceMs: graceMs(work.ctx.config), deadlineAt })
  const prompts = promptKeeper(turn, meter, ends.resolve)
  const wishes = createWishes(turn, prompts)
  const react = (view: SessionView) => {
    if (view.run?.id !== run.id) return
    if (calledOffBy(view)) return cancel.begin('cancelled')
    const reactions = [asking.react(view), wishes.react(view)]
    Promise.all(reactions).catch((error) => ends.resolve({ kind: 'failed', error }))
  }
  const timers = createTimers(turn, {
    park: () => {
      if (!asking.giving) ends.resolve({ kind: 'parked', reason: 'It waits for a person.' })
    },
    expire: () => react(recorder.view),
  })
  const onStopping = () => {
    if (waits(recorder.view) && !asking.giving)
      ends.resolve({ kind: 'parked', reason: 'The server was stopped while it waited for a person.' })
    else if (leavesAgents(work.ctx.config)) ends.resolve({ kind: 'left' })
    else cancel.begin('stopped')
  }
  const unrecorded = recorder.onView((view) => live.session.recorded(view.agents[run.agent]?.frame ?? 0))
  const onLost = () => ends.reject(asCarrelError(lease.lost.reason))
  const unwatch = recorder.onView(react)
  asking.onChange(() => {
    timers.look()
    meter.look()
  })
  work.stopping.addEventListener('abort', onStopping, { once: true })
  lease.lost.addEventListener('abort', onLost, { once: true })
  try {
    if ('answers' in task) prompts.adopt(task.answers)
    else {
      prompts.reserve()
      prompts.send(task.words, turnTag(recorder.view.run ?? run))
    }
    if (lease.lost.aborted) onLost()
    if (work.stopping.aborted) onStopping()
    react(recorder.view)
    const end = await ends.promise
    // Some agents answer a cancelled prompt with an error, or end: it is over, as was asked.
    const answered = end.kind === 'answered' || (end.kind === 'cancelled' && end.answered)
    const stopped = cancel.why !== null && ['answered', 'failed', 'cancelled'].includes(end.kind)
    meter.end()
    if (stopped && cancel.why === 'over_budget' && reached) return [{ kind: 'exhausted', reached, answered }, meter]
    if (stopped && cancel.why !== null && cancel.why !== 'over_budget')
      return [{ kind: 'cancelled', why: cancel.why, answered }, meter]
    return [end, meter]
  } finally {
    meter.end()
    unwatch()
    unrecorded()
    timers.clear()
    cancel.clear()
    work.stopping.removeEventListener('abort', onStopping)
    lease.lost.removeEventListener('abort', onLost)
  }
}

/** A question is open, or has an answer that the agent has not had: then the run can outlive its process. */
const waits = (view: SessionView) => Object.keys(view.open).length > 0 || view.grants.length > 0

/** A person wants the run to end, or the whole session. */
const calledOffBy = (view: SessionView) => view.run?.cancelling === true || view.state !== 'open'

/** Prompts under way in this turn: the first and those that steer. The turn is answered when all are. */
function promptKeeper({ live, work: { recorder } }: Turn, meter: TurnMeter, end: (end: TurnEnd) => void): Prompts {
  let under = 0
  let over = false
  let answer: TurnEnd | null = null
  const release = () => {
    under -= 1
    if (under > 0 || answer === null) return
    over = true
    end(answer)
  }
  return {
    reserve() {
      if (!over) under += 1
      return !over
    },
    release,
    send: (content, tag) => hear(live.session.prompt(content, tag)),
    adopt(answers) {
      under += answers.length
      for (const said of answers) hear(said)
    },
  }

  function hear(said: Promise<PromptAnswer>): void {
    said.then(
      ({ stopReason, raw }) => {
        answer = { kind: 'answered', stopReason, raw }
        meter.answered(raw)
        release()
      },
      (error) => {
        over = true
        // Whoever asked is gone, but the question and its answer outlive it (I2).
        if (waits(recorder.view)) end({ kind: 'parked', reason: 'The agent ended while it waited for a person.' })
        else end({ kind: 'failed', error })
      },
    )
  }
}

function createCancel({ live }: Turn, end: (end: TurnEnd) => void) {
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
      timer = setTimeout(() => end({ kind: 'failed', error: new Error('It did not stop in time.') }), CANCEL_GRACE_MS)
    },
    clear() {
      if (timer) clearTimeout(timer)
    },
  }
}

/** Leaves the agent as the end of the turn asks for, then writes the end. */
async function finish(turn: Turn, end: TurnEnd, meter: TurnMeter): Promise<void> {
  const { work, run, seat, live, asking, files } = turn
  asking.leave()
  if (end.kind === 'left') {
    await files.end('parked')
    await work.recorder.record()
    return seat.abandon()
  }
  if (end.kind === 'parked') {
    // What the agent said last is counted too.
    await work.recorder.record()
    await work.recorder.record({
      type: 'run.parked',
      run: run.id,
      data: { run: run.id, reason: end.reason, spent: meter.spent },
    })
    // A run that waits for a person holds no process.
    await letGo(seat, live)
    await files.end('parked')
    return
  }
  if (end.kind === 'cancelled' || end.kind === 'exhausted') await stopWork(turn, end.answered)
  if (end.kind === 'exhausted') {
    await files.end('parked')
    await work.recorder.record()
    const parked = { run: run.id, reason: 'A budget is used up.', spent: meter.spent }
    await work.recorder.record(asked(work, run, end.reached), { type: 'run.parked', run: run.id, data: parked })
  } else await recordEnd(work, run, end, { seat, files, spent: () => meter.spent })
  live.session.recorded(null)
}

/** What an agent that was cancelled may have left at work. */
async function stopWork({ work, run, seat, live }: Turn, answered: boolean): Promise<void> {
  if (!answered) return await letGo(seat, live)
  if (!seat.alone()) return
  await seat.connection.killDescendantsBornAfter(work.recorder.view.run?.startedAt ?? run.admittedAt)
}

/** Ends the process where the run has it for itself; else the conversation in it, so that neighbours go on. */
async function letGo(seat: Seat, live: LiveContext): Promise<void> {
  if (seat.alone()) return await seat.kill()
  live.session.cancel()
  await live.session.close().catch(() => undefined)
  seat.drop()
}
