import type { LeftOutPaths } from '../../../host/history/history.ts'
import type { FilePath } from '../../../model/files/history.ts'

const NAMED = 10

/** Files outside of the history that were deleted during a run, so that an undo cannot restore them. */
export class RunLeftOut {
  // A file that a run creates and deletes again did not exist before the run.
  readonly #came = new Set<FilePath>()
  readonly #gone = new Set<FilePath>()

  /** Bound, so that it may be passed on as a function. */
  readonly take = (seen: LeftOutPaths): void => {
    for (const path of seen.came) if (!this.#gone.delete(path)) this.#came.add(path)
    for (const path of seen.went) if (!this.#came.delete(path)) this.#gone.add(path)
  }

  /** Returns a notice that names the files; null for none. */
  notice(): string | null {
    if (this.#gone.size === 0) return null
    const paths = [...this.#gone].sort()
    const more = paths.length > NAMED ? ` and ${paths.length - NAMED} more` : ''
    const named = paths.slice(0, NAMED).join(', ').toWellFormed()
    return `During this run, files outside of the history were deleted, and an undo cannot restore them: ${named}${more}.`
  }
}
