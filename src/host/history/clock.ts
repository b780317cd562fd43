import { closeSync, fstatSync, futimesSync, openSync } from 'node:fs'

/**
 * The clock that stamps files, which is not the one a program reads: it goes in ticks. Asked by touching a file of our
 * own; only a look that must tell "before" from "at the same time" needs it.
 */
export interface DiskClock {
  now(): number
  close(): void
}

export function openDiskClock(path: string): DiskClock {
  const fd = openSync(path, 'w', 0o600)
  return {
    now() {
      futimesSync(fd, 0, 0)
      return fstatSync(fd).ctimeMs
    },
    close: () => closeSync(fd),
  }
}

/** How long others may wait for a turn while a walk goes on. ms. */
const TURN = 4

/** Something to await now and then in long work, so that the rest of the thread goes on. */
export function createPacer(turn = TURN): () => Promise<void> | undefined {
  let since = performance.now()
  let calls = 0
  return () => {
    // Asking for the time costs as much as an lstat of what is in memory.
    calls += 1
    if (calls % 16 !== 0 || performance.now() - since < turn) return undefined
    return new Promise((resolve) =>
      setImmediate(() => {
        since = performance.now()
        resolve()
      }),
    )
  }
}
