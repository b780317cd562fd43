import type { LeftOut } from '../../host/history/history.ts'
import type { FilePath } from '../../model/history.ts'

/** What went away while a run was at work, and the history does not have: nobody can bring it back. */
export interface RunLeftOut {
  take(seen: LeftOut): void
  /** In a sentence; null where nothing did. */
  words(): string | null
}

const NAMED = 10

export function createRunLeftOut(): RunLeftOut {
  // What comes and goes during a run was not there before it.
  const came = new Set<FilePath>()
  const gone = new Set<FilePath>()
  return {
    take(seen) {
      for (const path of seen.came) if (!gone.delete(path)) came.add(path)
      for (const path of seen.went) if (!came.delete(path)) gone.add(path)
    },
    words() {
      if (gone.size === 0) return null
      const paths = [...gone].sort()
      const more = paths.length > NAMED ? ` and ${paths.length - NAMED} more` : ''
      const named = paths.slice(0, NAMED).join(', ').toWellFormed()
      return `While this run was at work, files went away that the history leaves out, so that an undo cannot bring them back: ${named}${more}.`
    },
  }
}
