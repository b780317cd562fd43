import type { LeftOutPaths } from '../../../host/history/history.ts'
import type { FilePath } from '../../../model/files/history.ts'

/** Files outside of the history that were deleted during a run, so that an undo cannot restore them. */
export interface RunLeftOut {
  /** Bound, so that it may be passed on as a function. */
  readonly take: (seen: LeftOutPaths) => void
  /** Returns a notice that names the files; null for none. */
  notice(): string | null
}

const NAMED = 10

export function createRunLeftOut(): RunLeftOut {
  // A file that a run creates and deletes again did not exist before the run.
  const came = new Set<FilePath>()
  const gone = new Set<FilePath>()
  return {
    take(seen) {
      for (const path of seen.came) if (!gone.delete(path)) came.add(path)
      for (const path of seen.went) if (!came.delete(path)) gone.add(path)
    },
    notice() {
      if (gone.size === 0) return null
      const paths = [...gone].sort()
      const more = paths.length > NAMED ? ` and ${paths.length - NAMED} more` : ''
      const named = paths.slice(0, NAMED).join(', ').toWellFormed()
      return `During this run, files outside of the history were deleted, and an undo cannot restore them: ${named}${more}.`
    },
  }
}
