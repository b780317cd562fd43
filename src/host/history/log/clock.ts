import { closeSync, fstatSync, futimesSync, openSync, statSync } from 'node:fs'

/**
 * Clock that stamps files; it advances in ticks and differs from the program's clock. Reading it touches a file, so
 * only a scan that must tell "before" from "at the same time" uses it.
 */
export type DiskClock = ReturnType<typeof openDiskClock>

export function openDiskClock(path: string) {
  const before = lastReading(path)
  const fd = openSync(path, 'a', 0o600)
  return {
    /** The last reading before this clock was opened; 0 for none. */
    before,
    now(): number {
      futimesSync(fd, 0, 0)
      return fstatSync(fd).ctimeMs
    },
    close: (): void => closeSync(fd),
  }
}

/** Returns when a clock was last read, in this process or an earlier one; 0 for never. */
const lastReading = (path: string): number => statSync(path, { throwIfNoEntry: false })?.ctimeMs ?? 0
