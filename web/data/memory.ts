/** What this browser remembers by itself: drafts, what was seen, where one was. Nothing of it is anybody else's. */
const PREFIX = 'carrel.'

export function recall(key: string): string | null {
  try {
    return localStorage.getItem(PREFIX + key)
  } catch {
    return null
  }
}

/** `null` forgets. A browser that keeps nothing (private mode, full) is no reason to fail. */
export function remember(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(PREFIX + key)
    else localStorage.setItem(PREFIX + key, value)
  } catch {
    // Then it lasts as long as the page.
  }
}

const storedSeen = (session: string): number => Number(recall(`seen.${session}`) ?? 0)
export const recallSeen = (session: string): number => Math.max(storedSeen(session), unwritten.get(session) ?? 0)

const unwritten = new Map<string, number>()
let writing: ReturnType<typeof setTimeout> | undefined

/** Kept once a second at most, and when the page goes: a stream moves it on twenty times a second. */
export function rememberSeen(session: string, seq: number): void {
  unwritten.set(session, Math.max(seq, unwritten.get(session) ?? 0))
  writing ??= setTimeout(writeSeen, 1_000)
}

export function writeSeen(): void {
  clearTimeout(writing)
  writing = undefined
  for (const [session, seq] of unwritten) if (seq > storedSeen(session)) remember(`seen.${session}`, String(seq))
  unwritten.clear()
}

if (typeof addEventListener === 'function') addEventListener('pagehide', writeSeen)
