import { CarrelError } from '../../model/errors.ts'
import type { Outcome } from '../../model/events.ts'
import type { PromptId, RunId } from '../../model/ids.ts'
import { NOTHING_SPENT } from '../../model/spending.ts'
import { mayRename, type Project } from '../../model/tree.ts'
import { nextStep, type QueuedPrompt, type RunView } from '../../model/view.ts'
import type { Seat } from '../agents/agent-pool.ts'
import type { Context } from '../context.ts'
import type { OpenedPlace } from '../files/place-care.ts'
import { environmentOf } from '../verbs/environment.ts'
import type { Coming } from './ahead.ts'
import { mayBegin, usedUp } from './budgets.ts'
import type { Recorder } from './recorder.ts'
import { type Need, openPlaceOf, type RunOf, warmNeed, warmSeat } from './run-context.ts'
import { openFiles, type RunFiles } from './run-files.ts'
import type { RunWork } from './run-work.ts'
import { serveRun } from './runner.ts'
import { nameOf } from './session-name.ts'

/** What the next run of a session is admitted with, as far as it does not hang on its prompt. Nothing to give back. */
export interface Prepared {
  readonly run: RunOf
  readonly project: Promise<Project | null>
  readonly budgetMs: Promise<number | null>
  readonly opened: Promise<OpenedPlace>
  /** For a process that has the conversation open; null where there is none. */
  readonly need: Promise<Need | null>
}

/** Begins to read all of it; whoever admits waits for it, and hears what failed. `agent` is the session's own where it is null. */
export function prepare(work: RunWork, agent: string | null): Prepared {
  const { ctx, recorder } = work
  const { session } = recorder
  const run = { id: ctx.id('run') as RunId, agent: agent ?? session.agent }
  const project = ctx.store.tree.project(session.workspace, session.project)
  const budgetMs = environmentOf(ctx, session).then(({ limits }) => limits.ms?.value ?? null)
  const opened = openPlaceOf(work)
  // Whoever serves the run comes to the same, and says it.
  const need = opened.then(({ place }) => warmNeed(work, run, place)).catch(() => null)
  for (const each of [project, budgetMs, opened]) each.catch(() => undefined)
  return { run, project, budgetMs, opened, need }
}

/** Makes a run of a prompt, and serves it. */
export async function admit(work: RunWork, prompt: QueuedPrompt, before: Prepared | null): Promise<void> {
  const prepared = before?.run.agent === prompt.agent ? before : prepare(work, prompt.agent)
  await begin(work, prompt.prompt, prepared, await seatAtOnce(work, prepared), async (...outcomes) => {
    try {
      await work.recorder.record(...outcomes)
      return true
    } catch (thrown) {
      // Withdrawn in the same moment: the next look sees it.
      if (thrown instanceof CarrelError && thrown.code === 'gone') return false
      throw thrown
    }
  })
}

/**
 * Lets a prompt that is on its way arrive. Where its agent can be told at once, it is admitted and started in the same
 * commit, and its run is served; else what was made ready for it is given back, for whoever admits it.
 */
export async function welcome(work: RunWork, { prompt, submit }: Coming): Promise<Prepared | null> {
  const { ctx, recorder } = work
  if (nextStep(recorder.view, ctx.now()).do !== 'rest') {
    await submit(null)
    return null
  }
  const prepared = prepare(work, prompt.agent)
  const seat = await seatAtOnce(work, prepared)
  if (seat === null) {
    await submit(null)
    return prepared
  }
  await begin(work, prompt.prompt, prepared, seat, (...outcomes) => recorder.recordBehind(submit, ...outcomes))
  return null
}

/** Writes a run's beginning by `write`, which tells whether it came about, and serves the run. */
async function begin(
  work: RunWork,
  prompt: PromptId,
  { run: { id: run, agent }, ...prepared }: Prepared,
  seat: Seat | null,
  write: (...outcomes: Outcome[]) => Promise<boolean>,
): Promise<void> {
  const { ctx, recorder } = work
  let files: Promise<RunFiles> | null = null
  const leave = async () => {
    seat?.leave()
    await files?.then((opened) => opened.leave()).catch(() => undefined)
  }
  try {
    const [project, budgetMs] = await Promise.all([prepared.project, prepared.budgetMs])
    if (!project) throw new CarrelError('gone', 'The project of this session was deleted.')
    const { kind, path } = project.place
    const data = { run, prompt, agent, place: { kind, path }, budgetMs }
    const begun = seat?.live && { run, acpSession: seat.live.session.id }
    // Its files are looked at while the disk has its admission.
    files = openFiles(work, { id: run, startedAt: null }, 'start', prepared.opened)
    files.catch(() => undefined)
    // One commit for both, where nothing stands between them.
    const written = await write(
      { type: 'run.admitted', run, data },
      ...(begun ? [{ type: 'run.started', run, data: begun } as const] : []),
    )
    if (!written) return await leave()
  } catch (thrown) {
    void leave()
    throw thrown
  }
  const admitted = recorder.view.run
  // The prompt does not wait for it.
  if (admitted)
    nameAfter(ctx, recorder, admitted).catch((thrown) =>
      ctx.log.warn(`${recorder.session.id} could not be named.`, thrown),
    )
  const begins = seat !== null || nextStep(recorder.view, ctx.now()).do === 'start'
  if (begins && admitted && (seat || (await mayBegin(work, admitted)))) await serveRun(work, 'start', { files, seat })
  else await leave()
}

/** Where the agent of a run can be told as soon as the run is in the log; null where something stands before it. */
async function seatAtOnce(work: RunWork, { run, opened, need: needed }: Prepared): Promise<Seat | null> {
  const need = await needed
  if (need === null) return null
  try {
    return (await usedUp(work, { spent: NOTHING_SPENT })) ? null : warmSeat(work, run, (await opened).place, need)
  } catch {
    // Whoever serves the run comes to the same, and says it.
    return null
  }
}

/** A session without a name of its own is called after its first prompt. */
async function nameAfter(ctx: Context, { session }: Recorder, { content }: RunView): Promise<void> {
  const current = await ctx.store.tree.session(session.workspace, session.id)
  if (current?.namedBy !== 'default' || !mayRename(current.namedBy, 'generated')) return
  const name = nameOf(content)
  if (name === null) return
  await ctx.store.tree.updateSession(session.workspace, session.id, { name, namedBy: 'generated' }, ctx.now())
}
