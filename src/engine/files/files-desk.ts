import { join } from 'node:path'
import type { History } from '../../host/history/history.ts'
import type { Places } from '../../host/places/place.ts'
import type { Containment } from '../../host/process/containment.ts'
import { allowedEnv } from '../../host/process/environment.ts'
import type { WorkspaceId } from '../../model/ids.ts'
import { createLazy } from '../../primitives/lazy.ts'
import { filesOf } from '../../store/bell.ts'
import type { Store } from '../../store/store.ts'
import type { Context } from '../context.ts'
import type { Leases } from '../leases.ts'
import type { Log } from '../log.ts'
import { writeMissingNotes } from './act-notes.ts'
import { createBenches } from './benches.ts'
import { PlaceBuilder } from './place-builder.ts'
import { createPlaceCare } from './place-care.ts'
import { startRetention } from './retention.ts'
import { createSpaceKeeper } from './space-keeper.ts'

/** What of the engine is about files. */
export type FilesDesk = Pick<Context, 'history' | 'places' | 'care' | 'benches' | 'spaces' | 'placeBuilder'>

interface Parts {
  readonly store: Store
  readonly leases: Leases
  readonly dataFolder: string
  readonly containment: Containment
  readonly env: Context['env']
  readonly now: () => number
  readonly log: Log
  /** The whole, once it is there: nothing is called before. */
  readonly ctx: () => Context
}

/**
 * Puts together what is about files. Nothing of it is loaded or started before the first place is opened, so that a
 * server that only shows logs stays small and starts fast.
 */
export function openFilesDesk(parts: Parts): FilesDesk & { begin(): void; close(): Promise<void> } {
  const { store, leases, dataFolder, containment, env, now, log, ctx } = parts
  const history = createLazy<History>(async () => {
    const { openHistory } = await import('../../host/history/open.ts')
    const opened = await openHistory({ folder: join(dataFolder, 'files'), now })
    benches.listen(opened, care)
    return opened
  })
  const places = createLazy<Places>(async () => {
    const { openPlaces } = await import('../../host/places/places.ts')
    const ledger = join(dataFolder, 'processes')
    return openPlaces({ dataFolder, ledger, containment, now, path: env.PATH ?? '', env: allowedEnv(env, [], {}) })
  })
  const spaces = createSpaceKeeper(store, leases, now)
  const onFollowed = (opened: Parameters<typeof writeMissingNotes>[1]) => writeMissingNotes(ctx(), opened)
  const care = createPlaceCare({ store, history: history.get, places: places.get, onFollowed })
  const ring = (workspace: WorkspaceId) => ctx().bell.ring({ log: filesOf(workspace), head: 0, due: false })
  const benches = createBenches({ history: history.get, ring, spaces, now, log })
  const placeBuilder = new PlaceBuilder({ store, leases, places: places.get, care, dataFolder, now, log })
  let retention: { stop(): void } | null = null
  return {
    history: history.get,
    places: places.get,
    care,
    benches,
    spaces,
    placeBuilder,
    begin() {
      retention = startRetention(ctx(), () => history.current !== null)
      placeBuilder
        .failAbandoned()
        .catch((thrown) => log.warn('Places of an interrupted build could not be marked.', thrown))
    },
    async close() {
      retention?.stop()
      await placeBuilder.close()
      await benches.close()
      await spaces.close()
      // A history or places that could not be opened have nothing to close.
      await (await history.current?.catch(() => null))?.close()
      await (await places.current?.catch(() => null))?.close()
    },
  }
}
