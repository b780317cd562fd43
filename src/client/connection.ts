import type { Timing } from './timing.ts'

/** Connection state of a client: that of its worst stream. */
export interface Connection {
  /** `connecting`: no stream was open yet. `cut`: an open stream broke and is being reopened. */
  readonly state: 'connecting' | 'open' | 'cut'
  /** Start of this state. ms since 1970. */
  readonly since: number
  readonly attempt: number
  /** Reason of the cut as a sentence; null while not cut. */
  readonly reason: string | null
  /** Time of the next try, ms since 1970; null during a try or while open. */
  readonly nextTryAt: number | null
}

interface Line {
  /** `fresh`: before the end of the first try; does not count for the total. */
  state: 'fresh' | 'open' | 'failing'
  attempt: number
  reason: string | null
  nextTryAt: number | null
}

export type ConnectionBoard = ReturnType<typeof createBoard>

/** Tracks the state of every stream and notifies listeners of the total. */
export function createBoard(timing: Timing) {
  const lines = new Set<Line>()
  const listeners = new Set<(connection: Connection) => void>()
  const wakers = new Set<() => void>()
  let current: Connection = { state: 'connecting', since: timing.now(), attempt: 0, reason: null, nextTryAt: null }
  const tell = () => {
    const next = { ...whole([...lines], current), since: current.since }
    if (JSON.stringify(next) === JSON.stringify(current)) return
    current = next.state === current.state ? next : { ...next, since: timing.now() }
    for (const listener of listeners) listener(current)
  }
  return {
    connection: () => current,
    onConnection(listener: (connection: Connection) => void): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    line: () => createLine(timing, lines, wakers, tell),
    /** Ends every wait before the next try. */
    retryNow(): void {
      for (const wake of wakers) wake()
    },
  }
}

/** Returns the worst state of all lines. Without an open or failing line the state stays: a page that switches sessions is not cut. */
function whole(lines: readonly Line[], before: Connection): Omit<Connection, 'since'> {
  const failing = lines.find(({ state }) => state === 'failing')
  if (failing) {
    const { attempt, reason, nextTryAt } = failing
    return { state: before.state === 'connecting' ? 'connecting' : 'cut', attempt, reason, nextTryAt }
  }
  if (lines.some(({ state }) => state === 'open')) return { state: 'open', attempt: 0, reason: null, nextTryAt: null }
  return { ...before, nextTryAt: null }
}

function createLine(timing: Timing, lines: Set<Line>, wakers: Set<() => void>, tell: () => void) {
  const line: Line = { state: 'fresh', attempt: 0, reason: null, nextTryAt: null }
  const set = (change: Partial<Line>) => {
    Object.assign(line, change)
    tell()
  }
  lines.add(line)
  tell()
  return {
    open(): void {
      if (line.state !== 'open') set({ state: 'open', attempt: 0, reason: null, nextTryAt: null })
    },
    cut: (reason: string): void => set({ state: 'failing', reason }),
    /** Waits until the next try, `retryNow` or an abort. Exponential backoff with jitter. */
    async wait(signal: AbortSignal): Promise<void> {
      const ms = waitBefore(line.attempt, timing)
      set({ attempt: line.attempt + 1, nextTryAt: timing.now() + ms })
      await pause(ms, signal, wakers)
      set({ nextTryAt: null })
    },
    remove(): void {
      lines.delete(line)
      tell()
    },
  }
}

/** Returns the wait before a try in ms. Half of it is random, so that clients do not all reconnect at once after a restart. */
export function waitBefore(attempt: number, timing: Timing): number {
  const whole = Math.min(timing.longestWaitMs, timing.firstWaitMs * 2 ** Math.min(attempt, 30))
  return Math.round(whole / 2 + (whole / 2) * timing.random())
}

function pause(ms: number, signal: AbortSignal, wakers: Set<() => void>): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      wakers.delete(done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    wakers.add(done)
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
}
