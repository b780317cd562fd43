import { lstatSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { CarrelError } from '../../model/errors.ts'
import type { FilePath } from '../../model/files/history.ts'
import { checkRoot, type HeldFolder, holdRoot, identityAt, type RootIdentity } from '../root-folder.ts'
import type { PlaceSpec } from './history.ts'
import { nameOf, namesIn, parentOf } from './log/paths.ts'
import { FOLDER, LINK, type Present } from './log/present.ts'
import type { Findings } from './scan/findings.ts'
import { statsAt } from './scan/inspect.ts'

/**
 * The folder that a place's history is about. Another folder at its path, such as an empty one or the target of a link,
 * is never scanned or written: its files would count as deleted.
 */
export interface PlaceRoot {
  /** True when a copy of the folder was recognized at its path, so that its differences are still to be recorded. */
  readonly moved: boolean
  /** @throws gone when the folder is missing or was replaced */
  check(): void
  /** Holds the folder, so that it stays the same one during an act. @throws gone when it is missing or was replaced */
  hold(): HeldFolder
  /** Returns why the folder cannot be used now; null when it can. */
  problem(): string | null
  /** Whether another folder stands at the path now. */
  replaced(): boolean
  /** Takes the folder that stands there now, whatever is in it. @throws gone without a folder */
  accept(): void
}

export function openPlaceRoot(db: DatabaseSync, id: number, spec: PlaceSpec, present: Present): PlaceRoot {
  const { root: path, scope, frozen = false } = spec
  const write = db.prepare('update places set root = ? where id = ?')
  const stored = String(db.prepare('select root from places where id = ?').get(id)?.root ?? '')
  // The host proves a view itself, and each mount has another identity.
  const isProven = scope.kind === 'layer'
  const current = isProven ? null : identityAt(path)
  const known = stored === '' ? null : stored
  const moved = !frozen && known !== null && current !== null && current !== known && resembles(path, present)
  let identity: RootIdentity | null = moved || known === null ? current : known
  const keep = (now: RootIdentity | null) => {
    identity = now
    if (now !== null) write.run(now, id)
  }
  if (identity !== known && !frozen) keep(identity)
  const check = () => {
    checkRoot(path, identity)
    if (identity === null && !isProven) keep(identityAt(path))
  }
  return {
    moved,
    check,
    hold() {
      check()
      return holdRoot(path, identity)
    },
    problem() {
      try {
        checkRoot(path, identity)
        return null
      } catch (thrown) {
        if (thrown instanceof CarrelError && thrown.code === 'gone') return thrown.message
        throw thrown
      }
    },
    replaced() {
      const now = isProven ? null : identityAt(path)
      return now !== null && identity !== null && now !== identity
    },
    accept() {
      checkRoot(path, null)
      if (!isProven) keep(identityAt(path))
    },
  }
}

const SAMPLE = 64

/**
 * Tells whether a folder is a copy of the known one, as after a move to another disk or from a backup: at least half of
 * its known files are there. Their content may differ: an act may have been cut off half way.
 */
function resembles(root: string, present: Present): boolean {
  const files = [...present.all()].filter(([, { kind }]) => kind !== FOLDER)
  present.drop()
  const step = Math.max(1, Math.floor(files.length / SAMPLE))
  const sample = files.filter((_, at) => at % step === 0)
  const same = sample.filter(([path, { kind }]) => {
    const stats = statsAt(root, path)
    return kind === LINK ? stats?.isSymbolicLink() : stats?.isFile()
  })
  return same.length * 2 >= sample.length
}

/**
 * Begins the check of a scan against its root. The returned function removes findings that only looked like deletions,
 * because the folder was away for a part of the scan. Call it before the findings are recorded.
 * @throws gone when the folder is missing or was replaced, before or after
 */
export function guardScan(
  path: string,
  root: Pick<PlaceRoot, 'check' | 'hold'>,
): (findings: Pick<Findings, 'changed' | 'covered' | 'entered' | 'gaps'>) => void {
  root.check()
  const before = renamesAt(path)
  return ({ changed, covered, entered, gaps }) => {
    root.check()
    if (renamesAt(path) === before) return
    const gone = [...changed].filter(([, { state }]) => state === null).map(([one]) => one)
    const isKnown = (one: FilePath) => changed.has(one) || covered.has(one) || entered.has(one)
    const over = [...gaps].filter(([one, gap]) => gap === null && !isKnown(one)).map(([one]) => one)
    const held = root.hold()
    try {
      const names = namesBelow(held.path)
      const isThere = (one: FilePath) => names(parentOf(one)).has(nameOf(one))
      for (const one of gone.filter(isThere)) changed.delete(one)
      for (const one of over.filter(isThere)) gaps.delete(one)
    } finally {
      held.release()
    }
  }
}

/** A rename of the folder or of one above it changes one of these times. */
function renamesAt(path: string): string {
  const times: bigint[] = []
  for (let at = path; ; at = dirname(at)) {
    times.push(lstatSync(at, { bigint: true, throwIfNoEntry: false })?.ctimeNs ?? 0n)
    if (dirname(at) === at) return times.join()
  }
}

/** Returns a function that lists a folder by exact names: a disk may take `A` for `a`. A link has no names below it. */
function namesBelow(root: string): (folder: FilePath) => ReadonlySet<string> {
  const known = new Map<FilePath, ReadonlySet<string>>()
  const list = (folder: FilePath): ReadonlySet<string> => {
    const found = known.get(folder)
    if (found) return found
    const isFolder = folder === '' || (list(parentOf(folder)).has(nameOf(folder)) && isReal(root, folder))
    const names = new Set(isFolder ? namesIn(root, folder) : [])
    known.set(folder, names)
    return names
  }
  return list
}

const isReal = (root: string, folder: FilePath): boolean => statsAt(root, folder)?.isDirectory() ?? false
