import type { DatabaseSync } from 'node:sqlite'
import type { Act } from '../../model/history.ts'
import type { ActId } from '../../model/ids.ts'
import { inTransaction } from './db.ts'
import type { Step } from './step.ts'

/**
 * How far an act is. `staging`: nothing is touched yet. `staged`: it may be finished. `back`: it is being taken back.
 * `done`: all is as it should be, what is left is to say so.
 */
export type Phase = 'staging' | 'staged' | 'back' | 'done'

export interface Job {
  readonly act: Act
  readonly steps: readonly Step[]
}

/** Acts of all places of a node. What a method did is on the disk when it returns. */
export interface ActLog {
  begin(place: string, job: Job): void
  phase(place: string, phase: Phase): void
  /** The act that a crash cut; null where there is none. */
  cut(place: string): (Job & { readonly phase: Phase }) | null
  /** Nothing was done. */
  drop(place: string): void
  /** It is over, and remembered. */
  keep(place: string, act: Act): void
  get(place: string, id: ActId): Act | null
  /** Newest first; a limit of -1 is none. */
  list(place: string, page: { readonly before: ActId | null; readonly limit: number }): Act[]
  forget(place: string): void
}

export function openActLog(db: DatabaseSync): ActLog {
  const begin = db.prepare(`insert into journal (place, phase, job) values (?, 'staging', ?)`)
  const phase = db.prepare('update journal set phase = ? where place = ?')
  const cut = db.prepare('select phase, job from journal where place = ?')
  const drop = db.prepare('delete from journal where place = ?')
  const keep = db.prepare('insert into acts (id, place, act) values (?, ?, ?)')
  const get = db.prepare('select act from acts where place = ? and id = ?')
  const list = db.prepare(
    `select act from acts where place = ?1 and n < coalesce((select n from acts where id = ?2 and place = ?1), 9e15)
     order by n desc limit ?3`,
  )
  const forget = db.prepare('delete from acts where place = ?')
  // Acts of before it was kept do not say what they applied.
  const read = (row: Record<string, unknown> | undefined): Act | null =>
    row ? { applied: null, ...JSON.parse(String(row.act)) } : null
  return {
    begin: (place, job) => void begin.run(place, JSON.stringify(job)),
    phase: (place, now) => void phase.run(now, place),
    cut(place) {
      const row = cut.get(place)
      return row ? { ...(JSON.parse(String(row.job)) as Job), phase: row.phase as Phase } : null
    },
    drop: (place) => void drop.run(place),
    keep(place, act) {
      inTransaction(db, () => {
        keep.run(act.id, place, JSON.stringify(act))
        drop.run(place)
      })
    },
    get: (place, id) => read(get.get(place, id)),
    list: (place, { before, limit }) => list.all(place, before, limit).flatMap((row) => read(row) ?? []),
    forget(place) {
      inTransaction(db, () => {
        forget.run(place)
        drop.run(place)
      })
    },
  }
}
