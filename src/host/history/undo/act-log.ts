import type { DatabaseSync } from 'node:sqlite'
import type { Act } from '../../../model/files/history.ts'
import type { ActId } from '../../../model/ids.ts'
import { inTransaction } from '../log/db.ts'
import type { ActStep } from '../log/step.ts'

/** Phase of an act. `staging`: no file is changed. `staged`: ready. `back`: rolling back. `done`: all is written. */
export type Phase = 'staging' | 'staged' | 'back' | 'done'

export interface ActJob {
  readonly act: Act
  readonly steps: readonly ActStep[]
}

/** Log of the acts of all places of a node. Each method is durable when it returns. */
export type ActLog = ReturnType<typeof openActLog>

export function openActLog(db: DatabaseSync) {
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
  // Older acts have no field `applied`.
  const read = (row: Record<string, unknown> | undefined): Act | null =>
    row ? { applied: null, ...JSON.parse(String(row.act)) } : null
  return {
    begin: (place: string, job: ActJob): void => void begin.run(place, JSON.stringify(job)),
    phase: (place: string, now: Phase): void => void phase.run(now, place),
    /** Returns the act that a crash interrupted; null for none. */
    cut(place: string): (ActJob & { readonly phase: Phase }) | null {
      const row = cut.get(place)
      return row ? { ...(JSON.parse(String(row.job)) as ActJob), phase: row.phase as Phase } : null
    },
    /** Removes an act that changed nothing. */
    drop: (place: string): void => void drop.run(place),
    /** Stores an act that is complete. */
    keep(place: string, act: Act): void {
      inTransaction(db, () => {
        keep.run(act.id, place, JSON.stringify(act))
        drop.run(place)
      })
    },
    get: (place: string, id: ActId): Act | null => read(get.get(place, id)),
    /** Newest first; a limit of -1 means no limit. */
    list: (place: string, { before, limit }: { readonly before: ActId | null; readonly limit: number }): Act[] =>
      list.all(place, before, limit).flatMap((row) => read(row) ?? []),
    forget(place: string): void {
      inTransaction(db, () => {
        forget.run(place)
        drop.run(place)
      })
    },
  }
}
