import { realpathSync } from 'node:fs'
import type { Event } from '@parcel/watcher'
import type { FilePath } from '../../model/history.ts'
import { absentAsNullSync } from '../../primitives/absent-as-null.ts'

/**
 * Hints of what changed below a folder. No watcher of Linux may be believed (decision 0008): a hint says where to look,
 * and no hint says nothing. What hints miss, the next walk finds.
 */
export interface Watch {
  /** Events come in, and nothing was lost as far as it can tell. */
  readonly armed: boolean
  /** Takes the paths hinted since the last time. Null: too much or something odd, only a walk will do. */
  take(): Set<FilePath> | null
  /** A look that failed: the paths count again. */
  giveBack(paths: ReadonlySet<FilePath> | null): void
  close(): Promise<void>
}

// Also read by the main thread: its native part can be loaded by several threads only while the first one lives.
// A platform that it is not built for has no hints.
const watcher = await import('@parcel/watcher').then((module) => module.default).catch(() => null)

/** Above this a walk is as cheap. */
const MANY = 5_000

/**
 * @param ignore lines of an ignore file; folders that they name plainly are not watched at all
 * @param tell.hint at the first hint after each `take`
 * @param tell.armed once, when it begins to hear
 */
export function startWatch(root: string, ignore: readonly string[], tell: { hint(): void; armed(): void }): Watch {
  let hinted: Set<FilePath> | null = new Set()
  let state: 'arming' | 'armed' | 'closed' = 'arming'
  const prefix = `${realRoot(root)}/`
  const add = (path: string) => {
    if (!path.startsWith(prefix)) return
    // A name that is no text came out as another one.
    if (path.includes('\ufffd') || (hinted?.size ?? 0) >= MANY) hinted = null
    hinted?.add(path.slice(prefix.length))
  }
  const onEvents = (error: Error | null, events: readonly Event[]) => {
    const isFirst = hinted?.size === 0
    if (error) hinted = null
    for (const { path } of events ?? []) add(path)
    if (isFirst && hinted?.size !== 0) tell.hint()
  }
  const subscribed = watcher
    ?.subscribe(prefix.slice(0, -1), onEvents, { ignore: plainFolders(ignore) })
    .then((subscription) => {
      if (state === 'arming') {
        state = 'armed'
        tell.armed()
      }
      return subscription
    })
    // Too many folders for this machine, or no permission: walks do it all.
    .catch(() => null)
  return {
    get armed() {
      return state === 'armed'
    },
    take() {
      const taken = hinted
      hinted = new Set()
      return taken
    },
    giveBack(paths) {
      if (paths === null) hinted = null
      else for (const path of paths) hinted?.add(path)
    },
    async close() {
      state = 'closed'
      // A folder that is gone took its watch along, which cannot be ended then.
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
