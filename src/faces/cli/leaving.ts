import type { World } from './terminal.ts'

/** Reason why a command leaves before its work has ended; `interrupted` is Ctrl-C. */
export type Leaving = 'interrupted' | 'timeout' | 'terminated' | 'hung_up' | 'unread'

const ENDS = { SIGTERM: 'terminated', SIGHUP: 'hung_up' } as const

interface LeavingOptions {
  /** null for no timeout. */
  readonly timeoutMs: number | null
  /** Called at the first Ctrl-C, which then does not leave; null to leave at the first. */
  readonly onInterrupt: (() => void) | null
}

export interface Leave {
  /** Aborted when the command leaves. */
  readonly signal: AbortSignal
  /** null until the command leaves. */
  why(): Leaving | null
  /** Acts as Ctrl-C does, for a line reader that caught one. */
  interrupt(): void
  /** Stops listening. */
  stop(): void
}

/** Listens for everything that ends a command from outside: signals, its timeout, a reader that has gone. */
export function openLeaving(world: World, { timeoutMs, onInterrupt }: LeavingOptions): Leave {
  const left = new AbortController()
  let why: Leaving | null = null
  let first = onInterrupt
  const leave = (reason: Leaving): void => {
    why ??= reason
    left.abort()
  }
  const interrupt = (): void => {
    const instead = first
    first = null
    if (instead) instead()
    else leave('interrupted')
  }
  const end = (signal: NodeJS.Signals): void => leave(ENDS[signal as keyof typeof ENDS])
  process.on('SIGINT', interrupt)
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.once(signal, end)
  world.onUnread(() => leave('unread'))
  const timer = timeoutMs === null ? null : setTimeout(() => leave('timeout'), timeoutMs)
  return {
    signal: left.signal,
    why: () => why,
    interrupt,
    stop() {
      process.off('SIGINT', interrupt)
      for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.off(signal, end)
      if (timer) clearTimeout(timer)
    },
  }
}
