import type { Stats } from 'node:fs'
import type { FilePath } from '../../model/history.ts'
import { sameStats } from './blobs.ts'
import { contentsOf, createFinder, type Finder } from './findings.ts'
import type { Eye } from './look.ts'
import { statsAt } from './look.ts'
import type { Recorder } from './record.ts'
import { type Ground, scanAll } from './scan.ts'

/** The first look at all of a place, in pieces small enough that captures come in between. */
export interface Import {
  readonly progress: { readonly done: number; readonly total: number }
  /** Takes in the next piece. False: there is none. */
  next(): boolean
  /** Takes these in now, where they are still to come: somebody is about to write them. */
  first(paths: Iterable<FilePath>): void
}

/** A piece is one transaction: enough files to share its pages, few enough that a capture need not wait. */
const PIECE = 600
const PIECE_BYTES = 8 * 1024 * 1024

/** Lists what is there, which takes a moment; what has a row already was taken in before a crash or by a capture. */
export async function openImport(ground: Ground, eye: Eye, recorder: Recorder): Promise<Import> {
  const waiting = new Map<FilePath, Stats>()
  let done = 0
  const finder = createFinder(eye, ground.present, ground.gaps)
  const lister: Finder = {
    ...finder,
    look(path, known, stats) {
      if (known) done += 1
      else if (stats) waiting.set(path, stats)
      return { what: 'same' }
    },
    // Gone since an import that was cut short: the next walk says so.
    gone: () => undefined,
  }
  await scanAll({ ...ground, recheck: false }, lister)
  recorder.cover(finder.findings, 'now')
  const total = done + waiting.size

  const take = (paths: Iterable<FilePath>, how: 'now' | 'soon') => {
    const piece = createFinder(eye, ground.present, ground.gaps)
    const taken = new Set<FilePath>()
    let bytes = 0
    try {
      for (const path of paths) {
        const listed = waiting.get(path)
        if (!listed || taken.has(path)) continue
        takeIn(ground, piece, path, listed)
        taken.add(path)
        bytes += listed.size
        if (taken.size === PIECE || bytes > PIECE_BYTES) break
      }
      // Nobody's change: it was there when we came.
      const { changed, covered, gaps, touched, uncovered } = piece.findings
      recorder.cover({ changed: new Map(), covered: new Map([...covered, ...changed]), gaps, touched, uncovered }, how)
    } catch (error) {
      eye.blobs.giveUp(contentsOf(piece.findings))
      throw error
    }
    // Only now: what could not be kept still waits, or the next look would take it for somebody's work.
    for (const path of taken) waiting.delete(path)
    done += taken.size
  }
  return {
    get progress() {
      return { done, total }
    },
    next() {
      if (waiting.size > 0) take(waiting.keys(), 'soon')
      return waiting.size > 0
    },
    first(paths) {
      for (let asked = [...paths]; asked.length > 0; asked = asked.filter((path) => waiting.has(path)))
        take(asked, 'now')
    },
  }
}

function takeIn({ root, present }: Ground, piece: Finder, path: FilePath, listed: Stats): void {
  const stats = statsAt(root, path)
  if (!present.get(path)) piece.look(path, null, stats)
  const isAsListed = stats && (stats.isDirectory() ? listed.isDirectory() : sameStats(stats, listed))
  if (!isAsListed) piece.findings.gaps.set(path, { why: 'before_import', bytes: listed.size })
}
