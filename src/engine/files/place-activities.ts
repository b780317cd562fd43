import type { History } from '../../host/history/history.ts'
import type { WorkspaceId } from '../../model/ids.ts'
import { createTimer } from '../../primitives/timers.ts'
import type { Store } from '../../store/store.ts'
import type { Log } from '../log.ts'
import { cutRunsOf } from './cut-runs.ts'
import { createPlaceActivity, type PlaceActivity } from './place-activity.ts'
import type { OpenedPlace, ProjectPlaces } from './project-places.ts'
import type { SpaceLocks } from './space-locks.ts'

export interface PlaceActivities {
  of(opened: OpenedPlace): PlaceActivity
  listen(history: History, projectPlaces: ProjectPlaces): void
  close(): Promise<void>
}

/** Shortest time between two rings of one workspace: each ring makes every open file view query again. ms. */
const RING_MS = 250
/**
 * How often a server with a run at work leaves a sign of life: changes up to the last one are the run's own, later ones
 * may be a person's. ms.
 */
const ALIVE_MS = 10

interface Parts {
  readonly store: Store
  readonly history: () => Promise<History>
  /** Rings for followers of a workspace: files in it may have changed. */
  readonly ring: (workspace: WorkspaceId) => void
  readonly spaceLocks: SpaceLocks
  readonly now: () => number
  readonly log: Log
}

export function createPlaceActivities(parts: Parts): PlaceActivities {
  const activities = new Map<string, PlaceActivity>()
  const stops: (() => void)[] = []
  const ringing = new Map<WorkspaceId, NodeJS.Timeout>()
  const began = parts.now()
  const signs = createTimer({ ref: false })
  let clock: (() => number) | null = null
  const signLife = (): void =>
    signs.start(ALIVE_MS, () => {
      const all = [...activities.values()]
      if (all.some(({ isAtWork }) => isAtWork)) clock?.()
      if (all.some(({ workers }) => workers.size > 0)) signLife()
    })
  const of: PlaceActivities['of'] = ({ key, project }) => {
    const known = activities.get(key)
    if (known) return known
    const cutRuns = async () => {
      const { aliveBefore: alive } = await parts.history()
      return await cutRunsOf(key, project.workspace, { store: parts.store, began, alive })
    }
    const activity = createPlaceActivity(key, project.space, { ...parts, cutRuns, onJoined: signLife })
    activities.set(key, activity)
    return activity
  }
  const ringSoon = (workspace: WorkspaceId): void => {
    if (ringing.has(workspace)) return
    const timer = setTimeout(() => {
      ringing.delete(workspace)
      parts.ring(workspace)
    }, RING_MS)
    ringing.set(workspace, timer.unref())
  }
  return {
    of,
    listen(history, projectPlaces) {
      clock = history.clock
      const stop = history.onNews(({ key, what }) => {
        const opened = projectPlaces.followed.get(key)
        if (!opened) return
        // Followers hear of recorded changes only: a mere hint of a change has to be scanned first.
        if (what !== 'outside') return ringSoon(opened.project.workspace)
        const activity = of(opened)
        if (!activity.isAtWork) activity.scanSoon('outside')
      })
      stops.push(stop)
    },
    async close() {
      clock = null
      signs.stop()
      for (const stop of stops) stop()
      for (const timer of ringing.values()) clearTimeout(timer)
      await Promise.allSettled([...activities.values()].map((activity) => activity.idle()))
    },
  }
}
