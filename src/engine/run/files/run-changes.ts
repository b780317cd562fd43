import { type ChangedPath, NAMED_PATHS } from '../../../model/events/events.ts'
import { type Change, type Counts, type FilePath, type FileState, sameState } from '../../../model/files/history.ts'

/** The changes of a run since its start: each path once, from the state before its first change to the last state. */
export interface RunChanges {
  take(changes: readonly Change[]): void
  reset(changes: readonly Change[]): void
  summary(): { readonly counts: Counts; readonly files: ChangedPath[] }
}

export function createRunChanges(): RunChanges {
  const paths = new Map<FilePath, { before: FileState | null; after: FileState | null }>()
  const take = (changes: readonly Change[]) => {
    for (const { path, before, after } of changes) {
      const known = paths.get(path)
      paths.set(path, { before: known ? known.before : before, after })
    }
  }
  return {
    take,
    reset(changes) {
      paths.clear()
      take(changes)
    },
    summary() {
      const counts = { created: 0, modified: 0, deleted: 0 }
      const files: ChangedPath[] = []
      for (const [path, { before, after }] of [...paths].sort(([a], [b]) => (a < b ? -1 : 1))) {
        const change = changeOf(before, after)
        if (change === null) continue
        counts[change] += 1
        if (files.length < NAMED_PATHS) files.push({ path, change })
      }
      return { counts, files }
    },
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
