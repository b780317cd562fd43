import type { LeftOutPaths } from '../../../host/history/history.ts'
import type { FilePath } from '../../../model/files/history.ts'

const NAMED = 10

/** Files whose content an undo of a run cannot restore, because they were outside of the history at some time of it. */
export class RunLeftOut {
  // A file that a run creates and deletes again did not exist before the run.
  readonly #came = new Set<FilePath>()
  readonly #gone = new Set<FilePath>()
  readonly #entered = new Set<FilePath>()
  readonly #left = new Set<FilePath>()

  /** Bound, so that it may be passed on as a function. */
  readonly take = (seen: LeftOutPaths): void => {
    for (const path of seen.came) if (!this.#gone.delete(path)) this.#came.add(path)
    for (const path of seen.went) if (!this.#came.delete(path)) this.#gone.add(path)
    // The content of a file that the run created, or that left during the run, was known before.
    for (const path of seen.entered) if (!this.#came.delete(path) && !this.#left.has(path)) this.#entered.add(path)
    for (const path of seen.left) this.#left.add(path)
  }

  /** Returns notices that name the files. */
  notices(): string[] {
    const { deleted, entered, left } = NOTICES
    return [...listed(this.#gone, deleted), ...listed(this.#entered, entered), ...listed(this.#left, left)]
  }
}

const NOTICES = {
  deleted: 'files outside of the history were deleted, and an undo cannot restore them',
  entered: 'the history began to track files, and an undo cannot restore their earlier content',
  left: 'the history stopped tracking files, and an undo cannot restore their later content',
} as const

function listed(paths: ReadonlySet<FilePath>, text: string): string[] {
  if (paths.size === 0) return []
  const more = paths.size > NAMED ? ` and ${paths.size - NAMED} more` : ''
  const named = [...paths].sort().slice(0, NAMED).join(', ').toWellFormed()
  return [`During this run, ${text}: ${named}${more}.`]
}
