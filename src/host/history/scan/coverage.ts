import { attribute } from '../../../model/files/authorship.ts'
import type { FilePath } from '../../../model/files/history.ts'
import { foldersAbove, pathBytes } from '../log/paths.ts'
import { FILE, FOLDER } from '../log/present.ts'
import type { Form } from '../log/uncovered.ts'
import { type Findings, isLasting, isOutAbove } from './findings.ts'
import { identityOf, statsAt } from './inspect.ts'
import type { JoinedScan, RecorderParts } from './record.ts'
import type { States } from './states.ts'

interface At {
  readonly n: number
  readonly isThere: (path: FilePath) => boolean
  /** Earlier scans saw every change before this time. */
  readonly seen: number
}

/**
 * Writes how paths leave the history and come back. Their content in earlier snapshots stays, and so does the fact that
 * a stretch without coverage is not known. Call within a transaction, after the changes and before the gaps are set.
 */
export function createCoverage(parts: RecorderParts, states: States) {
  const { db, id, authors, present, uncovered } = parts
  const note = db.prepare(
    `insert into changes (place, n, path, author, certainty, note) values (?, ?, ?, ?, ?, 'coverage')`,
  )
  // Of an act too: what was written meanwhile is not its work.
  const noter = ({ writers }: JoinedScan, seen: number) => {
    const begun = writers.filter(({ spans }) => spans.some(({ kind }) => kind !== 'waits'))
    const { author, certainty } = attribute('', { from: seen, to: Number.POSITIVE_INFINITY, stamped: false }, begun)
    let by: number | null = null
    return (path: FilePath, n: number) => {
      by ??= authors.idOf(author, writers)
      note.run(id, n, pathBytes(path), by, certainty)
    }
  }
  return {
    /** Returns how many paths did so with snapshot `n`, and how many changed with it and leave with the next one. */
    write(findings: Findings, scan: JoinedScan, at: At): { readonly now: number; readonly later: number } {
      const { n } = at
      const { changed, entered, left } = findings
      const noted = noter(scan, at.seen)
      const counts = { now: 0, later: 0 }
      const keep = (path: FilePath, late = false) => {
        noted(path, late ? n + 1 : n)
        counts[late ? 'later' : 'now'] += 1
      }
      for (const [path, form] of endedBy(findings, parts, at.isThere)) {
        uncovered.end(path, form, n)
        keep(path)
      }
      for (const [path, found] of entered) {
        states.end(path, found, n)
        states.begin(path, found, n)
        keep(path)
      }
      for (const path of left.keys()) {
        const known = present.get(path)
        if (!known) continue
        const late = changed.has(path)
        present.end(path, known, late ? n + 1 : n)
        uncovered.begin(path, known, late ? n + 1 : n)
        keep(path, late)
      }
      return counts
    },
  }
}

/** Returns uncovered paths that are gone, or were found covered without them, with the form that they had at least. */
function endedBy(
  { gaps: found, changed, entered }: Findings,
  { root, gaps, uncovered }: Pick<RecorderParts, 'root' | 'gaps' | 'uncovered'>,
  isThere: (path: FilePath) => boolean,
): Map<FilePath, Form> {
  const moved = movedIn(root, changed)
  const isOut = (path: FilePath) => (found.has(path) ? found.get(path) : gaps.at(path)) != null
  const ended = new Map<FilePath, Form>()
  for (const [path, gap] of found) {
    const before = gaps.at(path)
    if (gap !== null || before === null || !isLasting(before) || isOutAbove(found, gaps, path)) continue
    const known = uncovered.within(path)
    for (const one of isThere(path) || known.includes(path) ? known : [path, ...known]) {
      const isOther = one !== path && [...foldersAbove(one), one].some(isOut)
      if (!isOther && !changed.has(one) && !entered.has(one))
        ended.set(one, moved(before.identity) ? NOTHING : formOf(before.bytes))
    }
  }
  return ended
}

/** Returns a test whether the same file or folder lies at a changed path now. */
function movedIn(root: string, changed: Findings['changed']): (identity: string | null | undefined) => boolean {
  let here: ReadonlySet<string> | null = null
  return (identity) => {
    if (identity == null) return false
    here ??= new Set([...changed.keys()].flatMap((path) => identityOf(statsAt(root, path)) ?? []))
    return here.has(identity)
  }
}

/** A left-out path that was moved: nothing went away of which a copy could be the last one. */
const NOTHING: Form = { kind: FILE, mode: 0o644, size: 0 }

/** A gap with a size was a file; one without may have been a folder. */
const formOf = (bytes: number | null): Form =>
  bytes === null ? { kind: FOLDER, mode: 0o755, size: 0 } : { kind: FILE, mode: 0o644, size: bytes }
