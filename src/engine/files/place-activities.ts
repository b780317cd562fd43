import type { History } from '../../host/history/history.ts'
import type { WorkspaceId } from '../../model/ids.ts'
import type { Log } from '../log.ts'
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

interface Parts {
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
  const of: PlaceActivities['of'] = ({ key, project }) => {
    const known = activities.get(key)
    if (known) return known
    const activity = createPlaceActivity(key, project.space, parts)
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
      const stop = history.onNews(({ key, what }) => {
        const opened = projectPlaces.followed.get(key)
        if (!opened) return
        // Followers hear of recorded changes only: a mere hint of a change has to be scanned first.
        if (what !== 'outside') return ringSoon(opened.project.workspace)
        const activity = of(opened)
        // While a run is at work, its own scans also find changes by others.
        if (activity.workers.size === 0) activity.scanSoon('outside')
      })
      stops.push(stop)
    },
    async close() {
      for (const stop of stops) stop()
      for (const timer of ringing.values()) clearTimeout(timer)
      await Promise.allSettled([...activities.values()].map((activity) => activity.idle()))
    },
  }
}
