import { realpathSync } from 'node:fs'
import type { Event } from '@parcel/watcher'
import type { FilePath } from '../../../model/files/history.ts'
import { absentAsNullSync } from '../../../primitives/absent-as-null.ts'

/**
 * Hints of changes below a folder. No watcher of Linux is reliable (decision 0008): a hint names a path to check, and
 * silence proves nothing. The next walk finds changes without a hint.
 */
export type FolderWatch = ReturnType<typeof startWatch>

// The main thread also loads this module: several threads can load its native part only while the first one lives. A
// platform without a build has no hints.
const watcher = await import('@parcel/watcher').then((module) => module.default).catch(() => null)

/** With more paths a walk is as cheap. */
const MANY = 5_000

/**
 * Starts to watch a folder.
 * @param ignore lines of an ignore file; folders that they name plainly are not watched
 * @param notify.hint called at the first hint after each `take`
 * @param notify.armed called once, when events begin to arrive
 */
export function startWatch(root: string, ignore: readonly string[], notify: { hint(): void; armed(): void }) {
  let hinted: Set<FilePath> | null = new Set()
  let state: 'arming' | 'armed' | 'closed' = 'arming'
  const prefix = `${realRoot(root)}/`
  const add = (path: string) => {
    if (!path.startsWith(prefix)) return
    // A name that is not valid text arrives changed.
    if (path.includes('\ufffd') || (hinted?.size ?? 0) >= MANY) hinted = null
    hinted?.add(path.slice(prefix.length))
  }
  const onEvents = (error: Error | null, events: readonly Event[]) => {
    const isFirst = hinted?.size === 0
    if (error) hinted = null
    for (const { path } of events ?? []) add(path)
    if (isFirst && hinted?.size !== 0) notify.hint()
  }
  const subscribed = watcher
    ?.subscribe(prefix.slice(0, -1), onEvents, { ignore: plainFolders(ignore) })
    .then((subscription) => {
      if (state === 'arming') {
        state = 'armed'
        notify.armed()
      }
      return subscription
    })
    // Too many folders for this machine, or no permission: walks find everything.
    .catch(() => null)
  return {
    /** True while events arrive without a known loss. */
    get armed(): boolean {
      return state === 'armed'
    },
    /** Takes the paths hinted since the last call. Null: too many or unclear, so only a walk helps. */
    take(): Set<FilePath> | null {
      const taken = hinted
      hinted = new Set()
      return taken
    },
    /** Returns the paths of a failed scan to the hints. */
    giveBack(paths: ReadonlySet<FilePath> | null): void {
      if (paths === null) hinted = null
      else for (const path of paths) hinted?.add(path)
    },
    async close(): Promise<void> {
      state = 'closed'
      // The watch of a removed folder is gone and cannot be ended.
      await (await subscribed)?.unsubscribe().catch(() => {})
    },
  }
}

/** A root that is gone keeps its name: the watch on it fails, and walks find its end. */
const realRoot = (root: string): string => absentAsNullSync(() => realpathSync(root)) ?? root

const plainFolders = (ignore: readonly string[]): string[] =>
  ['.git/', ...ignore]
    .filter((line) => /^[\w.-]+\/$/.test(line))
    .flatMap((line) => [`**/${line.slice(0, -1)}`, `**/${line}**`])
