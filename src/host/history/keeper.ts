import { join } from 'node:path'
import { CarrelError } from '../../model/errors.ts'
import type { HistoryStatus } from '../../model/history.ts'
import { openActing } from './acting.ts'
import { openBlobs } from './blobs.ts'
import { createPacer, openDiskClock } from './clock.ts'
import { openDb } from './db.ts'
import { changesIn, usageOf } from './everywhere.ts'
import type { History, PlaceSpec } from './history.ts'
import type { Point } from './moves.ts'
import { type Household, openPlace, type Place } from './place.ts'
import { pointedAt } from './pointed.ts'
import { readings } from './readings.ts'
import { type Broom, forgetPlace, sweepAll } from './sweep.ts'

/** The history as its thread has it. */
export interface Keeper {
  readonly history: Omit<History, 'onNews' | 'close' | 'ready'> & {
    ready(key: string): Promise<void>
  }
  /** @throws not_found */
  placeOf(key: string): Place
  readonly problem: string | null
  close(): Promise<void>
}

/** @param point called before each step of an act that a crash could come before: tests stop there */
export function openKeeper(folder: string, now: number, onNews: Household['onNews'], point?: Point): Keeper {
  const { db, problem } = openDb(join(folder, 'files.db'), now)
  const clock = openDiskClock(join(folder, 'tick'))
  const places = new Map<string, Place>()
  const placeOf = (key: string): Place => {
    const place = places.get(key)
    if (place) return place
    throw unknown(key)
  }
  const { settle, forget: forgetActs, ...acting } = openActing(db, placeOf, point)
  const home: Household = { db, blobs: openBlobs(db, join(folder, 'blobs')), clock, folder, settle, onNews }
  const broom: Broom = { db, blobs: home.blobs, breathe: createPacer(), held: 0 }
  const told = (status: HistoryStatus): HistoryStatus => (problem && !status.problem ? { ...status, problem } : status)
  const open = async (spec: PlaceSpec): Promise<HistoryStatus> => {
    const before = places.get(spec.key)
    if (before && isSame(before.spec, spec)) return told(before.status())
    await before?.close()
    const place = openPlace(home, spec, now)
    places.set(spec.key, place)
    await place.run(() => settle(place.book))
    return told(place.status())
  }
  return {
    placeOf,
    problem,
    history: {
      ...readings(home, placeOf),
      ...acting,
      open,
      ready: (key) => placeOf(key).imported,
      status: async (key) => told(placeOf(key).status()),
      capture: (key, look) => placeOf(key).capture(look),
      keepFirst: (key, paths) => placeOf(key).keepFirst(paths),
      changesIn: async (labels, filter) => changesIn(db, labels, filter),
      pointedAt: async () => pointedAt(db),
      usage: async () => usageOf(db),
      sweep: (policy) => sweepAll(broom, policy),
      async forget(key) {
        const row = db.prepare('select id from places where key = ?').get(key)
        if (!row) throw unknown(key)
        await places.get(key)?.close()
        places.delete(key)
        forgetActs(key)
        await forgetPlace(broom, Number(row.id))
      },
    },
    async close() {
      for (const place of places.values()) await place.close()
      clock.close()
      db.close()
    },
  }
}

const unknown = (key: string): CarrelError =>
  new CarrelError('not_found', `There is no history of ${key} here. Open its place first.`)

const isSame = (a: PlaceSpec, b: PlaceSpec): boolean => JSON.stringify(a) === JSON.stringify(b)
