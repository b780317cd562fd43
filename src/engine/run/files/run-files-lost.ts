import type { Captured } from '../../../host/history/history.ts'
import type { RunView } from '../../../model/events/view.ts'
import type { Writer } from '../../../model/files/history.ts'
import type { RunId, SessionId } from '../../../model/ids.ts'
import { type OpenedPlace, placeKey } from '../../files/project-places.ts'
import { openPlaceOf } from '../run-context.ts'
import type { RunWork } from '../run-work.ts'
import { RunChanges } from './run-changes.ts'

/**
 * Takes the last snapshot of a run that ended with its server. All changes since its last snapshot count as its work, or
 * as that of one of the runs that ended with it.
 */
export async function buryFiles(work: RunWork, run: RunView): Promise<void> {
  const { ctx, recorder } = work
  try {
    const opened = await openPlaceOf(work)
    const { state } = await ctx.projectPlaces.follow(opened)
    if (state !== 'ready') return
    const history = await ctx.history()
    const writers = await cutHere(work, opened)
    const mark = { run: run.id as RunId, session: recorder.session.id as SessionId, what: 'end' } as const
    const scan = { at: 'everything', reason: 'run_end', paths: [], writers, mark, now: ctx.now() } as const
    const { n }: Captured = await history.capture(opened.key, scan)
    const changed = await history.changesBy(opened.key, { run: run.id as RunId })
    if (changed.length === 0) return
    const changes = new RunChanges()
    changes.take(changed)
    const from = Math.max((changed[0]?.n ?? 1) - 1, 0)
    const data = { run: run.id as RunId, place: opened.key, from, n, reason: 'run_end', ...changes.summary() } as const
    recorder.push({ type: 'snapshot.taken', run: run.id, data })
  } catch (thrown) {
    ctx.log.warn(`The last changes of ${run.id} could not be read.`, thrown)
  }
}

/** Finds all runs of this place without an end: runs at work, and runs that ended with their server. */
async function cutHere({ ctx, recorder }: RunWork, { key }: OpenedPlace): Promise<Writer[]> {
  const { workspace } = recorder.session
  const { rows } = await ctx.store.log.runs(workspace, { live: true }, { cursor: null, limit: 500 })
  const projects = new Map((await ctx.store.tree.projects(workspace)).map((project) => [project.id, project]))
  const writers: Writer[] = []
  for (const { id, session: of, startedAt } of rows) {
    const session = startedAt === null ? null : await ctx.store.tree.session(workspace, of)
    const project = session && projects.get(session.project)
    if (project && placeKey(project) === key) writers.push({ run: id, session: of, named: [] })
  }
  return writers
}
