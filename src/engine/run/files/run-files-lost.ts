import type { RunView } from '../../../model/events/view.ts'
import type { RunId, SessionId } from '../../../model/ids.ts'
import type { PlaceActivity } from '../../files/place-activity.ts'
import { createPresence } from '../../files/presence.ts'
import { createToolPaths } from '../../files/tool-paths.ts'
import { openPlaceOf } from '../run-context.ts'
import type { RunWork } from '../run-work.ts'
import { RunChanges } from './run-changes.ts'

/**
 * Takes the last snapshot of a run that its server left behind. Changes up to the end of that server count as the run's
 * work; later ones as those of the run or of somebody else, since no server looked.
 */
export async function buryFiles(work: RunWork, run: RunView, how: 'ended' | 'parked'): Promise<void> {
  const { ctx, recorder } = work
  let activity: PlaceActivity | null = null
  const presence = createPresence()
  try {
    const opened = await openPlaceOf(work)
    activity = ctx.activities.of(opened)
    const { state } = await ctx.projectPlaces.follow(opened, 'work')
    if (state !== 'ready') return
    const [id, session] = [run.id as RunId, recorder.session.id as SessionId]
    // Used only where this server began the run itself.
    presence.become('work', 0)
    const paths = createToolPaths(() => null, ctx.now)
    activity.join({ run: id, session, paths, presence, found: () => undefined, passed: () => undefined })
    const ended = { at: 'everything', reason: 'run_end', mark: { run: id, session, what: 'end' } } as const
    const { n } = await activity.scan(how === 'ended' ? ended : { at: 'everything', reason: 'tool' })
    const changed = await (await ctx.history()).changesBy(opened.key, { run: id })
    if (changed.length === 0) return
    const changes = new RunChanges()
    changes.take(changed)
    const from = Math.max((changed[0]?.n ?? 1) - 1, 0)
    const reason = how === 'ended' ? 'run_end' : 'tool'
    recorder.push({
      type: 'snapshot.taken',
      run: id,
      data: { run: id, place: opened.key, from, n, reason, ...changes.summary() },
    })
  } catch (thrown) {
    ctx.log.warn(`The last changes of ${run.id} could not be read.`, thrown)
  } finally {
    activity?.leave(run.id as RunId)
    await activity
      ?.takeCut(run.id as RunId, presence)
      .catch((thrown) => ctx.log.warn(`The end of ${run.id} is not known to the scans of its folder.`, thrown))
  }
}
