import type { FilePath, FileState } from '../../../model/files/history.ts'
import { KINDS, type Known } from '../log/present.ts'
import type { Found } from './findings.ts'
import { NO_STATS } from './inspect.ts'
import type { RecorderParts } from './record.ts'

/** Writes the states of paths. Call all of it within a transaction. */
export type States = ReturnType<typeof createStates>

export function createStates({ db, id, blobs, present, uncovered }: RecorderParts) {
  const digest = db.prepare('select digest from blobs where id = ?')
  const digestOf = ({ blob }: Known) =>
    blob === null ? null : Buffer.from((digest.get(blob) as { digest: Uint8Array }).digest).toString('hex')
  const stateOf = (known: Known): FileState => ({
    kind: KINDS[known.kind] ?? 'file',
    digest: digestOf(known),
    mode: known.mode,
    size: known.size,
  })
  const begin = (path: FilePath, { state, stats }: Pick<Found, 'state' | 'stats'>, since: number): Known | null => {
    if (!state) return null
    const blob = state.content ? blobs.use(state.content, id) : null
    const { kind, mode, size } = state
    const { mtime, ctime, ino, racy } = stats ?? NO_STATS
    const known = { kind, mode, size, blob, since, mtime, ctime, ino, racy }
    present.begin(path, known)
    return known
  }
  return {
    /** Begins the found state of a path; null for nothing. */
    begin(path: FilePath, found: Pick<Found, 'state' | 'stats'>, n: number): FileState | null {
      if (found.state?.uncovered) return uncovered.begin(path, found.state, n)
      const known = begin(path, found, n)
      return known && stateOf(known)
    },
    /** Ends the state that the path had until now; null for nothing. */
    end(path: FilePath, { known, base, uncovered: form }: Found, n: number): FileState | null {
      if (form) return uncovered.end(path, form, n)
      const before = base ? begin(path, { state: base, stats: null }, 1) : known
      if (!before) return null
      present.end(path, before, n)
      return stateOf(before)
    },
  }
}
