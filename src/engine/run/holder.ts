import { asCarrelError } from '../../model/errors.ts'
import type { Session } from '../../model/tree.ts'
import { nextStep, type Step } from '../../model/view.ts'
import type { Context } from '../context.ts'
import type { Loaded } from '../folding.ts'
import type { ClaimedLease } from '../leases.ts'
import { admit, type Prepared, welcome } from './admit.ts'
import type { Coming } from './ahead.ts'
import { mayBegin } from './budgets.ts'
import { defaultAnswer } from './questions.ts'
import { openRecorder } from './recorder.ts'
import { outlived } from './rejoin.ts'
import { recordEndWithout } from './run-end.ts'
import { buryFiles } from './run-files-lost.ts'
import type { RunWork } from './run-work.ts'
import { serveRun } from './runner.ts'

/**
 * Holds one session while it has something to do: asks its view for the next step, does it, and looks again, until
 * the session may rest. The caller releases the lease. A prompt that is `coming` may be
 * admitted with its arrival. @throws lease_lost when somebody took over
 */
export async function holdSession(
  ctx: Context,
  session: Session,
  lease: ClaimedLease,
  loaded: Loaded,
  stopping: AbortSignal,
  coming: Coming | null = null,
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
    let prepared = coming && (await welcome(work, coming))
    while (!stopping.aborted) {
      await recorder.catchUp()
      const step = nextStep(recorder.view, ctx.now())
      // An admission takes the lease along, in one commit; all else is done by who has it, as things then are.
      if (step.do !== 'admit' && !lease.taken) {
        // The prompt was refused, and nothing else is wanted.
        if (coming && (step.do === 'rest' || step.do === 'wait')) return
        if (!(await lease.take())) return
        continue
      }
      const before = recorder.view.lastRun?.id
      const rested = await take(work, step, prepared)
      // It was for the next step, and for that one only.
      prepared = null
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
async function take(work: RunWork, step: Step, prepared: Prepared | null): Promise<boolean> {
  const { recorder } = work
  const { run } = recorder.view
  switch (step.do) {
    case 'rest':
      return await recorder.settle(null)
    case 'wait':
      return await recorder.settle(step.until)
    case 'admit':
      await admit(work, step.prompt, prepared)
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

async function close({ ctx, recorder }: RunWork): Promise<void> {
  const { queue, steering } = recorder.view
  const withdrawn = [...queue, ...steering].map(({ prompt }) => ({
    type: 'prompt.withdrawn' as const,
    data: { prompt, reason: 'The session was closed.' },
  }))
  await ctx.pool.forget(recorder.session.id)
  await recorder.record(...withdrawn, { type: 'session.closed', data: { reason: 'A person closed it.' } })
}
