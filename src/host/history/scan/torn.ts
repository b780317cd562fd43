import { readdirSync, readFileSync, statSync } from 'node:fs'
import type { FilePath } from '../../../model/files/history.ts'
import { absentAsNullSync } from '../../../primitives/absent-as-null.ts'
import type { Findings } from './findings.ts'
import { codeOf, statsAt } from './inspect.ts'

/**
 * Files that a scan sees between truncation and write: just emptied, and still open for writing. Their content is
 * nobody's, so it is not recorded; the next scan looks again.
 */
export type TornFiles = ReturnType<typeof createTornFiles>

/** A file that is empty for longer is recorded as such, though a slow program may hold it open. ms. */
const YOUNG = 2_000
const FILE_KIND = 0

export function createTornFiles(root: string) {
  let torn = new Map<FilePath, number>()
  return {
    /** The files that the last scan left out, with the times at which their writing was seen. */
    get times(): ReadonlyMap<FilePath, number> {
      return torn
    },
    /** Removes torn files from the findings. @param begins time of the scan, by the clock that stamps files */
    leaveOut({ changed }: Pick<Findings, 'changed'>, begins: number): ReadonlyMap<FilePath, number> {
      const found = new Map<FilePath, number>()
      const empty = [...changed].filter(
        ([, { state, stats }]) =>
          state?.kind === FILE_KIND && state.size === 0 && (stats?.ctime ?? 0) >= begins - YOUNG,
      )
      const written = empty.length > 0 ? filesBeingWritten() : null
      for (const [path, { stats }] of empty) {
        const now = statsAt(root, path)
        // A file that was written or removed since the scan was torn as well.
        if (now?.size === 0 && now.ino === stats?.ino && !written?.has(nameOf(now))) continue
        found.set(path, torn.get(path) ?? stats?.ctime ?? begins)
        changed.delete(path)
      }
      return found
    },
    /** Call when the findings are recorded. */
    keep(found: ReadonlyMap<FilePath, number>): void {
      torn = new Map(found)
    },
  }
}

const nameOf = ({ dev, ino }: { readonly dev: number; readonly ino: number }): string => `${dev}:${ino}`

/** Lists the files that some process of this user holds open for writing, by device and inode. Linux only. */
function filesBeingWritten(): Set<string> {
  const written = new Set<string>()
  for (const pid of namesIn('/proc').filter((name) => /^\d+$/.test(name))) {
    for (const fd of namesIn(`/proc/${pid}/fd`)) {
      const stats = ofProcess(() => statSync(`/proc/${pid}/fd/${fd}`, { throwIfNoEntry: false }))
      if (!stats?.isFile() || stats.size > 0) continue
      const info = ofProcess(() => readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1')) ?? ''
      if (isWritable(info)) written.add(nameOf(stats))
    }
  }
  return written
}

/** The last two bits of the flags are the mode; 0 is read only. */
const isWritable = (info: string): boolean => (Number.parseInt(/^flags:\s*(\d+)/m.exec(info)?.[1] ?? '0', 8) & 3) !== 0

const namesIn = (folder: string): string[] => ofProcess(() => readdirSync(folder)) ?? []

/** A process may end meanwhile, or belong to another user. */
function ofProcess<T>(read: () => T): T | null {
  try {
    return absentAsNullSync(read)
  } catch (error) {
    if (['EACCES', 'EPERM', 'ESRCH'].includes(codeOf(error))) return null
    throw error
  }
}
