import { CarrelError } from '../../model/errors.ts'
import type { Outcome } from '../../model/events/events.ts'
import { nextStep, type RunView } from '../../model/events/view.ts'
import type { PromptId, RunId } from '../../model/ids.ts'
import { mayRename, type Project } from '../../model/tree.ts'
import type { AgentSlot } from '../agents/agent-slot.ts'
import type { OpenedPlace } from '../files/project-places.ts'
import { environmentOf } from '../scope-settings.ts'
import { mayBegin } from './budgets.ts'
import { openFiles, type RunFiles } from './files/run-files.ts'
import { openPlaceOf } from './run-context.ts'
import type { RunOf } from './run-need.ts'
import type { RunWork } from './run-work.ts'
import { serveRun } from './run-worker.ts'
import { nameOf } from './session-name.ts'

/** Everything needed to admit a session's next run that does not depend on its prompt. Holds no resources. */
export interface RunPlan {
  readonly run: RunOf
  readonly project: Promise<Project | null>
  readonly budgetMs: Promise<number | null>
  readonly opened: Promise<OpenedPlace>
}

/** Starts to read a plan. The admission awaits the parts and gets their errors. `agent` null: the session's own. */
export function planRun(work: RunWork, agent: string | null): RunPlan {
  const { ctx, recorder } = work
  const { session } = recorder
  const run = { id: ctx.id('run') as RunId, agent: agent ?? session.agent }
  const project = ctx.store.tree.project(session.workspace, session.project)
  const budgetMs = environmentOf(ctx, session).then(({ limits }) => limits.ms?.value ?? null)
  const opened = openPlaceOf(work)
  for (const each of [project, budgetMs, opened]) each.catch(() => undefined)
  return { run, project, budgetMs, opened }
}

interface RunAdmission {
  readonly prompt: PromptId
  readonly plan: RunPlan
  /** A slot with the conversation open: then the start of the run is written with its admission. */
  readonly slot: AgentSlot | null
  /** Writes the outcomes in one commit; false when they were refused. */
  readonly write: (...outcomes: Outcome[]) => Promise<boolean>
}

/** Admits a run and serves it until it ends, is parked, or waits for a budget. Gives the slot back. */
export async function startRun(work: RunWork, { prompt, plan, slot, write }: RunAdmission): Promise<void> {
  const { ctx, recorder } = work
  let files: Promise<RunFiles> | null = null
  const leave = async () => {
    slot?.leave()
    await files?.then((opened) => opened.leave()).catch(() => undefined)
  }
  try {
    const admission = await admissionOf(plan, prompt)
    // The first snapshot of its files is taken while the admission is written.
    files = openFiles(work, { id: plan.run.id, startedAt: null }, 'start', plan.opened)
    files.catch(() => undefined)
    if (!(await write(admission, ...startOf(plan.run.id, slot)))) return await leave()
  } catch (thrown) {
    void leave()
    throw thrown
  }
  const admitted = recorder.view.run
  // The prompt does not wait for the name.
  if (admitted)
    nameSession(work, admitted).catch((thrown) => ctx.log.warn(`${recorder.session.id} could not be named.`, thrown))
  const begins = slot !== null || nextStep(recorder.view, ctx.now()).do === 'start'
  if (begins && admitted && (slot || (await mayBegin(work, admitted)))) await serveRun(work, 'start', { files, slot })
  else await leave()
}

async function admissionOf(plan: RunPlan, prompt: PromptId): Promise<Outcome> {
  const [project, budgetMs] = await Promise.all([plan.project, plan.budgetMs])
  if (!project) throw new CarrelError('gone', 'The project of this session was deleted.')
  const { id: run, agent } = plan.run
  const { kind, path } = project.place
  return { type: 'run.admitted', run, data: { run, prompt, agent, place: { kind, path }, budgetMs } }
}

const startOf = (run: RunId, slot: AgentSlot | null): Outcome[] =>
  slot?.live ? [{ type: 'run.started', run, data: { run, acpSession: slot.live.session.id } }] : []

/** Names a session after its first prompt, unless a person named it. */
async function nameSession({ ctx, recorder: { session } }: RunWork, { content }: RunView): Promise<void> {
  const current = await ctx.store.tree.session(session.workspace, session.id)
  if (current?.namedBy !== 'default' || !mayRename(current.namedBy, 'generated')) return
  const name = nameOf(content)
  if (name === null) return
  await ctx.store.tree.updateSession(session.workspace, session.id, { name, namedBy: 'generated' }, ctx.now())
}
