import { asCarrelError, CarrelError } from '../model/errors.ts'
import type { RunId } from '../model/ids.ts'
import { mayRename, type Session } from '../model/tree.ts'
import { nextStep, type QueuedPrompt, type Step } from '../model/view.ts'
import { mayBegin } from './budgets.ts'
import type { Context } from './context.ts'
import type { Loaded } from './folding.ts'
import type { HeldLease } from './leases.ts'
import { defaultAnswer } from './questions.ts'
import { openRecorder, type Recorder } from './recorder.ts'
import { outlived } from './rejoin.ts'
import { recordEndWithout } from './run-end.ts'
import { openFiles } from './run-files.ts'
import { buryFiles } from './run-files-lost.ts'
import type { RunWork } from './run-work.ts'
import { serveRun } from './runner.ts'
import { surroundingsOf } from './surroundings.ts'

/**
 * Holds one session while it has something to do: asks its view for the next step, does it, and looks again, until
 * the session may rest. The caller releases the lease. @throws lease_lost when somebody took over
 */
export async function holdSession(
  ctx: Context,
  session: Session,
  lease: HeldLease,
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
      const rested = await take(work, step)
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
  const admitted = recorder.record({ type: 'run.admitted', run, data })
  // Its files are looked at while the disk has its admission.
  const looked = openFiles(work, { id: run, startedAt: null }, 'start')
  looked.catch(() => undefined)
  const left = () =>
    looked.then(
      (files) => files.leave(),
      () => undefined,
    )
  try {
    await admitted
  } catch (thrown) {
    void left()
    // Withdrawn in the same moment: the next look sees it.
    if (!(thrown instanceof CarrelError) || thrown.code !== 'gone') throw thrown
    return
  }
  // The prompt does not wait for it.
  nameAfter(ctx, recorder, prompt).catch((thrown) => ctx.log.warn(`${session.id} could not be named.`, thrown))
  const admittedRun = recorder.view.run
  const begins = nextStep(recorder.view, ctx.now()).do === 'start'
  if (begins && admittedRun && (await mayBegin(work, admittedRun))) await serveRun(work, 'start', looked)
  else await left()
}

/** A session without a name of its own is called after its first prompt. */
async function nameAfter(ctx: Context, { session }: Recorder, prompt: QueuedPrompt): Promise<void> {
  const current = await ctx.store.tree.session(session.workspace, session.id)
  if (current?.namedBy !== 'default' || !mayRename(current.namedBy, 'generated')) return
  const text = prompt.content.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join(' ')
  const name = text
    .replace(/@@do[\s\S]*?@@end/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  if (!name) return
  const short = name.length <= 60 ? name : `${name.slice(0, 60).replace(/\s+\S*$/, '')}…`
  await ctx.store.tree.updateSession(session.workspace, session.id, { name: short, namedBy: 'generated' }, ctx.now())
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
