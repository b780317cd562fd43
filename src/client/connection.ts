import type { Timing } from './timing.ts'

/** How the streams of a client are, as one: the worst of them. For the line that tells a person. */
export interface Connection {
  /** `connecting`: no stream was open yet. `cut`: one was, and is being opened again. */
  readonly state: 'connecting' | 'open' | 'cut'
  /** When it became so. ms since 1970. */
  readonly since: number
  /** How many times it was tried since the last success. */
  readonly attempt: number
  /** Why it is cut, as a sentence; null while it is not. */
  readonly reason: string | null
  /** When it is tried again, ms since 1970; null while it is being tried or is open. */
  readonly nextTryAt: number | null
}

/** Keeps the state of every stream and tells listeners about the whole. */
export interface ConnectionBoard {
  connection(): Connection
  onConnection(listener: (connection: Connection) => void): () => void
  /** A line on the board for one stream. */
  line(): ConnectionLine
  /** Ends every wait before a next try. */
  retryNow(): void
}

export interface ConnectionLine {
  open(): void
  cut(reason: string): void
  /** Waits until it is time to try again, somebody says `retryNow`, or the signal aborts. Longer each time, with chance in it. */
  wait(signal: AbortSignal): Promise<void>
  remove(): void
}

interface Line {
  /** `fresh`: tried for the first time. One that is says nothing about how the line is. */
  state: 'fresh' | 'open' | 'failing'
  attempt: number
  reason: string | null
  nextTryAt: number | null
}

export function createBoard(timing: Timing): ConnectionBoard {
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
    onConnection(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    line: () => createLine(timing, lines, wakers, tell),
    retryNow() {
      for (const wake of wakers) wake()
    },
  }
}

/** The worst of all lines. Without any that knows, as before: a page that follows another session is not cut off. */
function whole(lines: readonly Line[], before: Connection): Omit<Connection, 'since'> {
  const failing = lines.find(({ state }) => state === 'failing')
  if (failing) {
    const { attempt, reason, nextTryAt } = failing
    return { state: before.state === 'connecting' ? 'connecting' : 'cut', attempt, reason, nextTryAt }
  }
  if (lines.some(({ state }) => state === 'open')) return { state: 'open', attempt: 0, reason: null, nextTryAt: null }
  return { ...before, nextTryAt: null }
}

function createLine(timing: Timing, lines: Set<Line>, wakers: Set<() => void>, tell: () => void): ConnectionLine {
  const line: Line = { state: 'fresh', attempt: 0, reason: null, nextTryAt: null }
  const set = (change: Partial<Line>) => {
    Object.assign(line, change)
    tell()
  }
  lines.add(line)
  tell()
  return {
    open() {
      if (line.state !== 'open') set({ state: 'open', attempt: 0, reason: null, nextTryAt: null })
    },
    cut: (reason) => set({ state: 'failing', reason }),
    async wait(signal) {
      const ms = waitBefore(line.attempt, timing)
      set({ attempt: line.attempt + 1, nextTryAt: timing.now() + ms })
      await pause(ms, signal, wakers)
      set({ nextTryAt: null })
    },
    remove() {
      lines.delete(line)
      tell()
    },
  }
}

/** Half of it is chance, so that the pages a restart cut off do not all come back in one moment. */
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
