import { join } from 'node:path'
import type { History } from '../../host/history/history.ts'
import type { Places } from '../../host/places/place.ts'
import type { Containment } from '../../host/process/containment.ts'
import { allowedEnv } from '../../host/process/environment.ts'
import type { WorkspaceId } from '../../model/ids.ts'
import { createLazy } from '../../primitives/lazy.ts'
import { filesOf } from '../../store/bell.ts'
import type { Store } from '../../store/store.ts'
import type { MachineFacts } from '../basics.ts'
import type { DataPause } from '../data-pause.ts'
import type { Leases } from '../leases.ts'
import type { Log } from '../log.ts'
import { writeMissingNotes } from './act-notes.ts'
import type { FileRooms, FilesContext } from './file-rooms.ts'
import { startHistoryRetention } from './history-retention.ts'
import { createPlaceActivities } from './place-activities.ts'
import { PlaceBuilder } from './place-builder.ts'
import { createProjectPlaces } from './project-places.ts'
import { SpaceLocks } from './space-locks.ts'

interface Parts {
  readonly store: Store
  readonly leases: Leases
  readonly dataFolder: string
  readonly containment: Containment
  readonly env: MachineFacts['env']
  readonly now: () => number
  readonly log: Log
  readonly pause: DataPause
  /** The complete context. Called only after the engine is complete. */
  readonly ctx: () => FilesContext
}

/**
 * Opens the file parts of the engine. Nothing is loaded before the first place opens: a server that only shows logs
 * stays small.
 */
export function openFilesContext(parts: Parts): FileRooms & { close(): Promise<void> } {
  const { store, leases, dataFolder, containment, env, now, log, pause, ctx } = parts
  const history = createLazy<History>(async () => {
    const { openHistory } = await import('../../host/history/open.ts')
    const opened = await openHistory({ folder: join(dataFolder, 'files'), now })
    activities.listen(opened, projectPlaces)
    return opened
  })
  const places = createLazy<Places>(async () => {
    const { openPlaces } = await import('../../host/places/places.ts')
    const ledger = join(dataFolder, 'processes')
    const machine = { ledger, containment, now, path: env.PATH ?? '', env: allowedEnv(env, [], {}) }
    return openPlaces({ dataFolder, ...machine, tidies: () => pause.reason === null })
  })
  const spaceLocks = new SpaceLocks(store, leases, now)
  const onWork = (opened: Parameters<typeof writeMissingNotes>[1]) => writeMissingNotes(ctx(), opened)
  const projectPlaces = createProjectPlaces({ store, pause, history: history.get, places: places.get, onWork })
  const ring = (workspace: WorkspaceId) => ctx().bell.ring({ log: filesOf(workspace), head: 0, due: false })
  const activities = createPlaceActivities({ store, history: history.get, ring, spaceLocks, now, log })
  const placeBuilder = new PlaceBuilder({ store, leases, places: places.get, projectPlaces, dataFolder, now, log })
  let retention: { stop(): void } | null = null
  return {
    history: history.get,
    places: places.get,
    projectPlaces,
    activities,
    spaceLocks,
    placeBuilder,
    startFiles() {
      // Places that were opened during a pause are opened again with their files.
      for (const key of [...projectPlaces.followed.keys()]) projectPlaces.forget({ key })
      retention = startHistoryRetention(ctx(), () => history.current !== null)
      placeBuilder
        .failAbandoned(ctx().machines.here.id)
        .catch((thrown) => log.warn('Places of an interrupted build could not be marked.', thrown))
    },
    async close() {
      retention?.stop()
      await placeBuilder.close()
      await activities.close()
      await spaceLocks.close()
      // A history or places that could not be opened have nothing to close.
      await (await history.current?.catch(() => null))?.close()
      await (await places.current?.catch(() => null))?.close()
    },
  }
}
