import type { DatabaseSync } from 'node:sqlite'
import type { Pointed } from './history.ts'

/**
 * Returns the snapshots that a restore or undo needs. For a session: its start, and the start and end of its newest
 * run. For a project's own place: its start, and its last applied state, the base of the next apply.
 */
export function pointedAt(db: DatabaseSync): Pointed[] {
  const rows = db
    .prepare(
      `with marked as (
         select place, session, min(iif(what = 'start', n, null)) as began, max(iif(what = 'start', n, null)) as newest,
           max(iif(what = 'end', n, null)) as ended from marks group by place, session
       ), ns as (
         select place, session, began as n from marked
         union select place, session, newest from marked union select place, session, ended from marked
       )
       select p.key, s.session, s.n from ns s join places p on p.id = s.place where s.n is not null
       union select key, null, 1 from places where project is not null
       union select p.key, null, applied from (
         select json_extract(a.act, '$.request.from') as source, json_extract(a.act, '$.applied') as applied, max(a.n)
         from acts a, json_each(a.act, '$.written') w where json_extract(a.act, '$.applied') is not null
         group by a.place, source, w.value
       ) join places p on p.key = 'project:' || source`,
    )
    .all()
  return rows as unknown as Pointed[]
}
