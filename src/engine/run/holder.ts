import { asCarrelError, CarrelError } from '../../model/errors.ts'
import type { Outcome } from '../../model/events/events.ts'
import { nextStep, type QueuedPrompt, type RunView, type Step } from '../../model/events/view.ts'
import type { InteractionId } from '../../model/ids.ts'
import { defaultAnswer, type Grant } from '../../model/interaction.ts'
import type { Session } from '../../model/tree.ts'
import type { ArrivingPrompt } from '../arriving-prompt.ts'
import type { Context } from '../context.ts'
import type { Loaded } from '../folding.ts'
import type { ClaimedLease } from '../leases.ts'
import { planRun, type RunPlan, startRun } from './admit.ts'
import { BetweenRuns } from './between-runs.ts'
import { mayBegin } from './budgets.ts'
import { buryFiles } from './files/run-files-lost.ts'
import { SessionRecorder } from './recorder.ts'
import { outlived } from './rejoin.ts'
import { recordEndWithout } from './run-end.ts'
import type { RunWork } from './run-work.ts'
import { serveRun } from './run-worker.ts'
import { expiryOf } from './turn/expiry.ts'
import { startWarm, warmSlot } from './warm-start.ts'

/** How often the log is read without a ring of the bell. ms. */
const READ_AGAIN_MS = 2_000

interface Holding {
  readonly session: Session
  readonly lease: ClaimedLease
  readonly loaded: Loaded
  readonly stopping: AbortSignal
  readonly arriving: ArrivingPrompt | null
  readonly lostBy: RunWork['lostBy']
  /** Whether this node has room for a run of the session. */
  readonly mayRun: () => boolean
  /** Notes that the session is held without a run, for an agent that goes on after one. */
  readonly listens: () => void
}

/**
 * Holds one session while it has work: asks its view for the next step, takes it, and repeats until the session may
 * rest. The caller releases the lease. @throws lease_lost when another node took the session over
 */
export async function holdSession(ctx: Context, holding: Holding): Promise<void> {
  const { session, lease, loaded, stopping, lostBy } = holding
  await ctx.vault.maskOf(session.workspace)
  const { store, now, config } = ctx
  const mask = () => ctx.vault.mask(session.workspace)
  const recorder = new SessionRecorder({ store, session, lease, loaded, now, flushMs: config.flushMs, mask })
  const heardNot = (thrown: unknown) => {
    const error = asCarrelError(thrown)
    // While the store is away, nothing is missed: the log is read again soon.
    if (error.code !== 'unavailable') lease.lose(error)
  }
  const unlisten = ctx.bell.listen(session.id, ({ head }) => {
    if (head > recorder.view.seq) void recorder.catchUp(head).catch(heardNot)
  })
  // Rings may get lost (L7).
  const poll = setInterval(() => void recorder.catchUp().catch(() => undefined), READ_AGAIN_MS)
  const work = { ctx, recorder, lease, stopping, lostBy }
  const between = new BetweenRuns(work, lease)
  try {
    await stepUntilRest(work, { ...holding, between })
  } finally {
    between.close()
    clearInterval(poll)
    unlisten()
    recorder.close()
  }
}

interface Steps extends Holding {
  readonly between: BetweenRuns
}

async function stepUntilRest(work: RunWork, { lease, arriving, between, mayRun, listens }: Steps): Promise<void> {
  const { ctx, recorder, stopping } = work
  const off = AbortSignal.any([stopping, lease.lost])
  // Earlier messages of an agent come before its next run in the log.
  if (between.busy) await between.recorded()
  if (arriving) await between.runBegins()
  let plan = arriving && (await startWarm(work, arriving))
  while (!stopping.aborted) {
    await recorder.catchUp()
    const step = nextStep(recorder.view, ctx.now(), {
      expiryOf: (question) => expiryOf(ctx, question),
      served: between.served,
    })
    const rests = step.do === 'rest' || step.do === 'wait'
    if (step.do === 'rest' && lease.taken) {
      const { seq } = recorder.view
      await between.look()
      if (recorder.view.seq !== seq) continue
    }
    if (rests && between.busy) {
      listens()
      const until = step.do === 'wait' ? step.until : null
      await between.change(until === null ? null : until - ctx.now(), off)
      lease.lost.throwIfAborted()
      continue
    }
    // The session stays due, and is held again once there is room.
    if (!rests && !mayRun()) return
    // The commit of an admission acquires the lease. For all other steps it is acquired first, and the view read again.
    if (step.do !== 'admit' && !lease.taken) {
      // The arriving prompt was refused, and nothing else is to be done.
      if (arriving && (step.do === 'rest' || step.do === 'wait')) return
      if (!(await lease.take())) return
      continue
    }
    if (step.do === 'admit' || step.do === 'resume') await between.runBegins()
    const before = recorder.view.lastRun?.id
    const rested = await takeStep(work, step, plan, between)
    // A plan serves the next step only.
    plan = null
    const { lastRun } = recorder.view
    if (lastRun && lastRun.id !== before) ctx.homes.runEnded(lastRun, recorder.session)
    // An agent may have gone on meanwhile.
    if (rested && !between.busy) return
  }
  await between.runBegins()
  if (lease.taken) await between.cut('The server was stopped.')
}

/** Takes one step; true when the session rests. */
async function takeStep(work: RunWork, step: Step, plan: RunPlan | null, between: BetweenRuns): Promise<boolean> {
  const { recorder } = work
  const { run } = recorder.view
  if (step.do === 'rest') return await recorder.settle(null)
  if (step.do === 'wait') return await recorder.settle(step.until)
  if (step.do === 'admit') await admit(work, step.prompt, plan)
  else if (step.do === 'expire') await expire(work, step.interaction)
  else if (step.do === 'close') await close(work, between)
  else if (step.do === 'withdraw') await withdraw(work, step)
  else if (step.do === 'drop') await drop(work, step.grant)
  else if (run) await stepOfRun(work, run, step.do)
  return false
}

async function stepOfRun(
  work: RunWork,
  run: RunView,
  step: 'start' | 'resume' | 'park' | 'bury' | 'end',
): Promise<void> {
  if (step === 'start' || step === 'resume') {
    if (await mayBegin(work, run)) await serveRun(work, step)
    return
  }
  if (step !== 'end' && outlived(work) && (await serveRun(work, 'rejoin'))) return
  // A run that is parked, or was only admitted, has left its files already.
  if (run.state === 'started') await buryFiles(work, run, step === 'park' ? 'parked' : 'ended')
  if (step === 'end') return await recordEndWithout(work, run, 'cancelled', null)
  const cut = work.ctx.pause.cut(run.startedAt ?? run.admittedAt)
  if (step === 'park') {
    const data = { run: run.id, reason: cut ?? `${causeOf(work, run)} The run waited for a person.` }
    return await work.recorder.record({ type: 'run.parked', run: run.id, data })
  }
  await recordEndWithout(work, run, 'lost', cut ?? causeOf(work, run))
}

/** Why no process serves a run that was started. */
function causeOf({ ctx, lostBy }: RunWork, { startedAt }: RunView): string {
  if (lostBy !== null) return `This server gave the run up. ${lostBy}`
  if (startedAt !== null && startedAt >= ctx.startedAt)
    return 'Another server had the run and stopped renewing its lease: it ended, froze or lost the database.'
  return 'The server ended before the run did.'
}

async function admit(work: RunWork, { prompt, agent }: QueuedPrompt, before: RunPlan | null): Promise<void> {
  const plan = before?.run.agent === agent ? before : planRun(work, agent)
  const write = async (...outcomes: Outcome[]) => {
    try {
      await work.recorder.record(...outcomes)
      return true
    } catch (thrown) {
      // The prompt was withdrawn meanwhile: the next step finds that.
      if (thrown instanceof CarrelError && thrown.code === 'gone') return false
      throw thrown
    }
  }
  await startRun(work, { prompt, plan, slot: await warmSlot(work, plan), write })
}

async function expire({ recorder }: RunWork, interaction: InteractionId): Promise<void> {
  const open = recorder.view.open[interaction]
  const answer = open ? defaultAnswer(open.question) : { declined: true as const }
  await recorder.record({ type: 'interaction.expired', data: { interaction, answer } })
}

const GONE = 'The process of the agent that asked has ended.'

async function withdraw({ recorder }: RunWork, { interaction, run }: Extract<Step, { do: 'withdraw' }>): Promise<void> {
  await recorder.record({ type: 'interaction.withdrawn', run, data: { interaction, reason: GONE } })
}

/** Notes that an answer had no effect: no agent waits for it. */
async function drop({ recorder }: RunWork, { interaction, n }: Grant): Promise<void> {
  const item = recorder.item(n)
  const run = item?.run ?? recorder.view.lastRun?.id
  if (!run) throw new CarrelError('internal', 'An answer without a run cannot be given up.')
  const text = `${GONE} Your answer did not reach it.`
  await recorder.record(
    { type: 'notice.given', run, data: { level: 'warning', text, afterword: true } },
    { type: 'interaction.withdrawn', run, data: { interaction, reason: GONE } },
  )
}

async function close({ ctx, recorder }: RunWork, between: BetweenRuns): Promise<void> {
  const { queue, steering } = recorder.view
  const withdrawn = [...queue, ...steering].map(({ prompt }) => ({
    type: 'prompt.withdrawn' as const,
    data: { prompt, reason: 'The session was closed.' },
  }))
  await between.cut('The session was ended.')
  await ctx.pool.forget(recorder.session.id)
  await between.recorded()
  await recorder.record(...withdrawn, { type: 'session.closed', data: { reason: 'A person closed it.' } })
}
