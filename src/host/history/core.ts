import { join } from 'node:path'
import { CarrelError } from '../../model/errors.ts'
import type { HistoryStatus } from '../../model/files/history.ts'
import { createPacer } from '../../primitives/pacer.ts'
import { openActing } from './acting.ts'
import { changesIn, usageOf } from './everywhere.ts'
import type { History, PlaceSpec, ScanRequest } from './history.ts'
import { openBlobs } from './log/blobs.ts'
import { openDiskClock } from './log/clock.ts'
import { openDb } from './log/db.ts'
import { forgetPlace, type SweepContext, sweepAll } from './log/sweep.ts'
import { type OpenPlace, openPlace, type SharedParts } from './place.ts'
import { pointedAt } from './pointed.ts'
import { readings } from './readings.ts'
import type { CrashPoint } from './undo/moves.ts'

/** History inside its worker thread. */
export interface HistoryCore {
  readonly history: Omit<History, 'onNews' | 'clock' | 'aliveBefore' | 'close' | 'ready'> & {
    ready(key: string): Promise<void>
  }
  /** @throws not_found */
  placeOf(key: string): OpenPlace
  readonly problem: string | null
  close(): Promise<void>
}

/** Replacements in tests. `point` is called before each step of an act that a crash could interrupt. */
interface CoreOverrides {
  readonly point?: CrashPoint | undefined
  readonly firstSnapshotAt?: () => number
}

export function openCore(
  folder: string,
  now: number,
  onNews: SharedParts['onNews'],
  { point, firstSnapshotAt }: CoreOverrides = {},
): HistoryCore {
  const { db, problem } = openDb(join(folder, 'files.db'), now)
  const clock = openDiskClock(join(folder, 'tick'))
  const places = new Map<string, OpenPlace>()
  const placeOf = (key: string): OpenPlace => {
    const place = places.get(key)
    if (place) return place
    throw unknown(key)
  }
  const { settle, forget: forgetActs, ...acting } = openActing(db, placeOf, point)
  const base = { db, blobs: openBlobs(db, join(folder, 'blobs')), clock, folder }
  const shared: SharedParts = { ...base, settle, onNews, firstSnapshotAt: firstSnapshotAt ?? clock.now }
  const context: SweepContext = { db, blobs: shared.blobs, breathe: createPacer(), held: 0 }
  const withProblem = (status: HistoryStatus): HistoryStatus =>
    problem && !status.problem ? { ...status, problem } : status
  const opening = openingIn(places, shared)
  return {
    placeOf,
    problem,
    history: {
      ...readings(shared, placeOf),
      ...acting,
      open: async (spec) => withProblem(await opening.open(spec)),
      ready: (key) => placeOf(key).imported,
      status: async (key) => withProblem(placeOf(key).status()),
      accept: async (key) => withProblem(await opening.accept(placeOf(key))),
      capture: (key, scan) => placeOf(key).capture(scan),
      keepFirst: (key, paths) => placeOf(key).keepFirst(paths),
      changesIn: async (labels, filter) => changesIn(db, labels, filter),
      pointedAt: async () => pointedAt(db),
      usage: async () => usageOf(db),
      sweep: (policy) => sweepAll(context, policy),
      async forget(key) {
        const row = db.prepare('select id from places where key = ?').get(key)
        if (!row) throw unknown(key)
        await places.get(key)?.close()
        places.delete(key)
        forgetActs(key)
        await forgetPlace(context, Number(row.id))
      },
    },
    async close() {
      for (const place of places.values()) await place.close()
      clock.close()
      db.close()
    },
  }
}

/** Opens places, and opens them anew where their folder is another one. */
function openingIn(places: Map<string, OpenPlace>, shared: SharedParts) {
  const anew = async (spec: PlaceSpec, before: OpenPlace | undefined): Promise<OpenPlace> => {
    await before?.close()
    const place = openPlace(shared, spec)
    places.set(spec.key, place)
    if (!spec.frozen) await place.run(() => shared.settle(place.book))
    return place
  }
  return {
    async open(spec: PlaceSpec): Promise<HistoryStatus> {
      const before = places.get(spec.key)
      if (before && isSame(before.spec, spec) && !before.root.replaced()) return before.status()
      const place = await anew(spec, before)
      // The differences of a copy are nobody's work here: a run must not be charged with them.
      if (place.root.moved) await place.capture(byPeople(shared.clock.now()))
      return place.status()
    },
    async accept(before: OpenPlace): Promise<HistoryStatus> {
      before.root.accept()
      const place = await anew(before.spec, before)
      await place.capture(byPeople(shared.clock.now()))
      return place.status()
    },
  }
}

/** Returns a scan of everything whose changes are those of people and of other programs. */
const byPeople = (now: number): ScanRequest => ({
  at: 'everything',
  reason: 'outside',
  paths: [],
  writers: [],
  now: Math.trunc(now),
})

const unknown = (key: string): CarrelError =>
  new CarrelError('not_found', `The history of ${key} is not open here. Open its place first.`)

const isSame = (a: PlaceSpec, b: PlaceSpec): boolean => JSON.stringify(a) === JSON.stringify(b)
