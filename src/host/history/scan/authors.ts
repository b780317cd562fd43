import type { DatabaseSync } from 'node:sqlite'
import { type Attribution, attribute, type Moment, timeMatters, type Writer } from '../../../model/files/authorship.ts'
import type { Author, FilePath } from '../../../model/files/history.ts'
import type { ScanRequest } from '../history.ts'
import type { Found } from './findings.ts'
import { createMoments, type Scanned } from './moments.ts'

/** Authors by number in the database, because the same few wrote most changes. */
export type Authors = ReturnType<typeof openAuthors>

export function openAuthors(db: DatabaseSync) {
  const find = db.prepare('select id from authors where author = ?')
  const add = db.prepare('insert into authors (kind, act, author) values (?, ?, ?)')
  const addRun = db.prepare('insert into author_runs (run, session, author) values (?, ?, ?)')
  const get = db.prepare('select author from authors where id = ?')
  return {
    /** Call within a transaction. */
    idOf(author: Author, writers: readonly Writer[]): number {
      const text = JSON.stringify(author)
      const known = find.get(text) as { id: number } | undefined
      if (known) return known.id
      const id = Number(add.run(author.kind, author.kind === 'act' ? author.act : null, text).lastInsertRowid)
      for (const { run, session } of runsOf(author, writers)) addRun.run(run, session, id)
      return id
    },
    of: (id: number): Author => JSON.parse((get.get(id) as { author: string }).author) as Author,
  }
}

function runsOf(author: Author, writers: readonly Writer[]): readonly Pick<Writer, 'run' | 'session'>[] {
  if (author.kind === 'run') return [author]
  if (author.kind === 'unknown') return writers.filter(({ run }) => author.among.includes(run))
  return []
}

/** Returns a function that attributes each change of a scan. */
export function attributor(
  { writers, act }: Pick<ScanRequest, 'writers' | 'act'>,
  scanned: Scanned,
): (path: FilePath, found: Found) => Attribution {
  const { seen, torn } = scanned
  const anyTime: Moment = { from: seen, to: Number.POSITIVE_INFINITY, stamped: false }
  const momentOf = torn.size > 0 || timeMatters(writers, seen) ? createMoments(scanned) : () => anyTime
  const acted = new Set(act?.paths)
  const named = writers.map((writer) => ({ ...writer, named: new Set(writer.named) }))
  return (path, found) => {
    if (act && acted.has(path)) return { author: { kind: 'act', act: act.id, by: act.by }, certainty: 'sole' }
    if (writers.length === 0) return { author: { kind: 'outside' }, certainty: 'external' }
    // The model's rule takes lists; a list with this path alone gives the same answer without a search.
    const here = named.map(({ named: paths, ...writer }) => ({ ...writer, named: paths.has(path) ? [path] : [] }))
    return attribute(path, momentOf(path, found), here)
  }
}
