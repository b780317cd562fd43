import { type ChangedPath, NAMED_PATHS } from '../../../model/events/events.ts'
import { type Change, type Counts, type FilePath, type FileState, sameState } from '../../../model/files/history.ts'

/** The changes of a run since its start: each path once, from the state before its first change to the last state. */
export class RunChanges {
  readonly #paths = new Map<FilePath, { before: FileState | null; after: FileState | null }>()

  take(changes: readonly Change[]): void {
    for (const { path, before, after } of changes) {
      const known = this.#paths.get(path)
      this.#paths.set(path, { before: known ? known.before : before, after })
    }
  }

  reset(changes: readonly Change[]): void {
    this.#paths.clear()
    this.take(changes)
  }

  summary(): { readonly counts: Counts; readonly files: ChangedPath[] } {
    const counts = { created: 0, modified: 0, deleted: 0 }
    const files: ChangedPath[] = []
    for (const [path, { before, after }] of [...this.#paths].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const change = changeOf(before, after)
      if (change === null) continue
      counts[change] += 1
      if (files.length < NAMED_PATHS) files.push({ path, change })
    }
    return { counts, files }
  }
}

/** Folders do not count: people count files. */
function changeOf(before: FileState | null, after: FileState | null): ChangedPath['change'] | null {
  const [from, to] = [fileOf(before), fileOf(after)]
  if (sameState(from, to)) return null
  if (from === null) return 'created'
  return to === null ? 'deleted' : 'modified'
}

const fileOf = (state: FileState | null): FileState | null => (state?.kind === 'folder' ? null : state)
