import type { Stats } from 'node:fs'
import type { FilePath } from '../../../model/files/history.ts'
import { sameStats } from '../log/blobs.ts'
import { contentsOf, createFinder, type Finder } from './findings.ts'
import type { InspectOptions } from './inspect.ts'
import { statsAt } from './inspect.ts'
import type { ScanRecorder } from './record.ts'
import { type ScanContext, scanAll } from './scan.ts'

/** First scan of a whole place, in pieces that let captures run in between. */
export interface Import {
  readonly progress: { readonly done: number; readonly total: number }
  /** Imports the next piece. Returns false when none is left. */
  next(): boolean
  /** Imports these paths now if they are still waiting, because a write is about to follow. */
  first(paths: Iterable<FilePath>): void
}

/** Files of a piece, which is one transaction: enough to share its pages, few enough that a capture waits briefly. */
const PIECE = 600
const PIECE_BYTES = 8 * 1024 * 1024

/** Lists the place first, which takes a moment. Paths with a row were imported before a crash or by a capture. */
export async function openImport(
  context: ScanContext,
  options: InspectOptions,
  recorder: ScanRecorder,
): Promise<Import> {
  const waiting = new Map<FilePath, Stats>()
  let done = 0
  const finder = createFinder(options, context.present, context.gaps)
  const onKnown = () => {
    done += 1
  }
  const lister = listerOf(context, finder, { waiting, onKnown })
  await scanAll({ ...context, recheck: false }, lister)
  recorder.cover(finder.findings, 'now')
  const total = done + waiting.size

  const take = (paths: Iterable<FilePath>, how: 'now' | 'soon') => {
    const piece = createFinder(options, context.present, context.gaps)
    const taken = new Set<FilePath>()
    let bytes = 0
    try {
      for (const path of paths) {
        const listed = waiting.get(path)
        if (!listed || taken.has(path)) continue
        takeIn(context, piece, path, listed)
        taken.add(path)
        bytes += listed.size
        if (taken.size === PIECE || bytes > PIECE_BYTES) break
      }
      // The content was there before the history began, so it has no author.
      const { changed, entered, ...others } = piece.findings
      const covered = new Map([...others.covered, ...changed, ...entered])
      recorder.cover({ ...others, covered, changed: new Map(), entered: new Map() }, how)
    } catch (error) {
      options.blobs.giveUp(contentsOf(piece.findings))
      throw error
    }
    // Paths leave the list last: after a failure they still wait, or the next scan would attribute them to a run.
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

interface Listed {
  readonly waiting: Map<FilePath, Stats>
  readonly onKnown: () => void
}

/** Returns a finder that only lists the paths to import. */
function listerOf({ present }: ScanContext, finder: Finder, { waiting, onKnown }: Listed): Finder {
  return {
    ...finder,
    inspect(path, known, stats) {
      if (known) onKnown()
      else if (stats) waiting.set(path, stats)
      return { what: 'same' }
    },
    // Covered by an import that was interrupted: the first walk after this one tells whether it stays so.
    leaveOut(path, stats) {
      if (present.get(path)) onKnown()
      else finder.leaveOut(path, stats)
    },
    // The file is gone since an interrupted import: the next walk records that.
    gone: () => undefined,
  }
}

function takeIn({ root, present }: ScanContext, piece: Finder, path: FilePath, listed: Stats): void {
  const stats = statsAt(root, path)
  if (!present.get(path)) piece.inspect(path, null, stats)
  const isAsListed = stats && (stats.isDirectory() ? listed.isDirectory() : sameStats(stats, listed))
  if (!isAsListed) piece.findings.gaps.set(path, { why: 'before_import', bytes: listed.size })
}
