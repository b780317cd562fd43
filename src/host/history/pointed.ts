import type { DatabaseSync } from 'node:sqlite'
import type { Pointed } from './history.ts'

/**
 * Snapshots that somebody's way back leads to. A session: where it began, and where its newest run began and ended. A
 * place of its own: where it began, and what of it was applied last, which the next apply merges from.
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
