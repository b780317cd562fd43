import { asCarrelError, CarrelError } from '../model/errors.ts'
import type { RunId } from '../model/ids.ts'
import { NOTHING_SPENT } from '../model/spending.ts'
import { mayRename, type Session } from '../model/tree.ts'
import { nextStep, type QueuedPrompt, type Step } from '../model/view.ts'
import type { Seat } from './agent-pool.ts'
import { mayBegin, usedUp } from './budgets.ts'
import type { Context } from './context.ts'
import type { Loaded } from './folding.ts'
import type { ClaimedLease } from './leases.ts'
import { defaultAnswer } from './questions.ts'
import { openRecorder, type Recorder } from './recorder.ts'
import { outlived } from './rejoin.ts'
import { type RunOf, warmSeat } from './run-context.ts'
import { recordEndWithout } from './run-end.ts'
import { openFiles, type RunFiles } from './run-files.ts'
import { buryFiles } from './run-files-lost.ts'
import type { RunWork } from './run-work.ts'
import { serveRun } from './runner.ts'
import { nameOf } from './session-name.ts'
import { surroundingsOf } from './surroundings.ts'

/**
 * Holds one session while it has something to do: asks its view for the next step, does it, and looks again, until
 * the session may rest. The caller releases the lease. @throws lease_lost when somebody took over
 */
export async function holdSession(
  ctx: Context,
  session: Session,
  lease: ClaimedLease,
  loaded: Loaded,
  stopping: AbortSignal,
): Promise<void> {
  await ctx.vault.maskOf(session.workspace)
  const recorder = openRecorder(ctx.store, session, lease, loaded, {
    now: ctx.now,
    flushMs: ctx.config.flushMs,
    mask: () => ctx.vault.mask(session.workspace),
  })
  const unlisten = ctx.bell.listen(session.id, ({ head }) => {
    if (head > recorder.view.seq) void recorder.catchUp(head).catch((thrown) => lease.lose(asCarrelError(thrown)))
  })
  // The bell may lie (L7): a request that rang nobody is found a little later.
  const poll = setInterval(() => void recorder.catchUp().catch(() => undefined), LOOK_AGAIN_MS)
  const work: RunWork = { ctx, recorder, lease, stopping }
  try {
    while (!stopping.aborted) {
      await recorder.catchUp()
      const step = nextStep(recorder.view, ctx.now())
      // An admission takes the lease along, in one commit; all else is done by who has it, as things then are.
      if (step.do !== 'admit' && !lease.taken) {
        if (!(await lease.take())) return
        continue
      }
      const before = recorder.view.lastRun?.id
      const rested = await take(work, step)
      const { lastRun } = recorder.view
      if (lastRun && lastRun.id !== before) ctx.homes.runEnded(lastRun, session)
      if (rested) return
    }
  } finally {
    clearInterval(poll)
    unlisten()
    recorder.close()
  }
}

const LOOK_AGAIN_MS = 2_000

/** Does one step; true when the session was put to rest. */
async function take(work: RunWork, step: Step): Promise<boolean> {
  const { recorder } = work
  const { run } = recorder.view
  switch (step.do) {
    case 'rest':
      return await recorder.settle(null)
    case 'wait':
      return await recorder.settle(step.until)
    case 'admit':
      await admit(work, step.prompt)
      return false
    case 'start':
    case 'resume':
      if (run && (await mayBegin(work, run))) await serveRun(work, step.do)
      return false
    case 'expire': {
      const open = recorder.view.open[step.interaction]
      const answer = open ? defaultAnswer(open.question) : { declined: true as const }
      await recorder.record({ type: 'interaction.expired', data: { interaction: step.interaction, answer } })
      return false
    }
    case 'park':
      if (outlived(work) && (await serveRun(work, 'rejoin'))) return false
      if (run)
        await recorder.record({
          type: 'run.parked',
          run: run.id,
          data: { run: run.id, reason: 'The server ended while the run waited for a person.' },
        })
      return false
    case 'bury':
      if (outlived(work) && (await serveRun(work, 'rejoin'))) return false
      if (run) {
        await buryFiles(work, run)
        await recordEndWithout(work, run, 'lost', 'The server that ran this ended before the run did.')
      }
      return false
    case 'end':
      if (run) await recordEndWithout(work, run, 'cancelled', null)
      return false
    case 'close':
      await close(work)
      return false
  }
}

/** Makes a run of a prompt, and serves it. */
async function admit(work: RunWork, prompt: QueuedPrompt): Promise<void> {
  const { ctx, recorder } = work
  const { session } = recorder
  const project = await ctx.store.tree.project(session.workspace, session.project)
  if (!project) throw new CarrelError('gone', 'The project of this session was deleted.')
  const { limits } = await surroundingsOf(ctx, session)
  const run = ctx.id('run') as RunId
  const data = {
    run,
    prompt: prompt.prompt,
    agent: prompt.agent,
    place: { kind: project.place.kind, path: project.place.path },
    budgetMs: limits.ms?.value ?? null,
  }
  // Its files are looked at while the disk has its admission.
  const files = openFiles(work, { id: run, startedAt: null }, 'start')
  files.catch(() => undefined)
  const seat = await seatAtOnce(work, { id: run, agent: prompt.agent }, files)
  const leave = async () => {
    seat?.leave()
    await files.then((opened) => opened.leave()).catch(() => undefined)
  }
  const begun = seat?.live && { run, acpSession: seat.live.session.id }
  try {
    // One commit for both, where nothing stands between them.
    await recorder.record(
      { type: 'run.admitted', run, data },
      ...(begun ? [{ type: 'run.started', run, data: begun } as const] : []),
    )
  } catch (thrown) {
    void leave()
    // Withdrawn in the same moment: the next look sees it.
    if (!(thrown instanceof CarrelError) || thrown.code !== 'gone') throw thrown
    return
  }
  // The prompt does not wait for it.
  nameAfter(ctx, recorder, prompt).catch((thrown) => ctx.log.warn(`${session.id} could not be named.`, thrown))
  const admitted = recorder.view.run
  const begins = seat !== null || nextStep(recorder.view, ctx.now()).do === 'start'
  if (begins && admitted && (seat || (await mayBegin(work, admitted)))) await serveRun(work, 'start', { files, seat })
  else await leave()
}

/** Where the agent of a run can be told as soon as the run is in the log; null where something stands before it. */
async function seatAtOnce(work: RunWork, run: RunOf, files: Promise<RunFiles>): Promise<Seat | null> {
  try {
    if (await usedUp(work, { spent: NOTHING_SPENT })) return null
    return await warmSeat(work, run, files)
  } catch {
    // Whoever serves the run comes to the same, and says it.
    return null
  }
}

/** A session without a name of its own is called after its first prompt. */
async function nameAfter(ctx: Context, { session }: Recorder, prompt: QueuedPrompt): Promise<void> {
  const current = await ctx.store.tree.session(session.workspace, session.id)
  if (current?.namedBy !== 'default' || !mayRename(current.namedBy, 'generated')) return
  const name = nameOf(prompt.content)
  if (name === null) return
  await ctx.store.tree.updateSession(session.workspace, session.id, { name, namedBy: 'generated' }, ctx.now())
}

async function close({ ctx, recorder }: RunWork): Promise<void> {
  const { queue, steering } = recorder.view
  const withdrawn = [...queue, ...steering].map(({ prompt }) => ({
    type: 'prompt.withdrawn' as const,
    data: { prompt, reason: 'The session was closed.' },
  }))
  await ctx.pool.forget(recorder.session.id)
  await recorder.record(...withdrawn, { type: 'session.closed', data: { reason: 'A person closed it.' } })
}
