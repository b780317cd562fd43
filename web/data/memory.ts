/** State that only this browser remembers: drafts, positions, the last view. */
const PREFIX = 'carrel.'

export function recall(key: string): string | null {
  try {
    return localStorage.getItem(PREFIX + key)
  } catch {
    return null
  }
}

/** Stores a value; `null` removes it. A browser without storage (private mode, full disk) is not an error. */
export function remember(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(PREFIX + key)
    else localStorage.setItem(PREFIX + key, value)
  } catch {
    // Without storage the value is lost with the page.
  }
}

const storedSeen = (session: string): number => Number(recall(`seen.${session}`) ?? 0)
export const recallSeen = (session: string): number => Math.max(storedSeen(session), unwritten.get(session) ?? 0)

const unwritten = new Map<string, number>()
let writing: ReturnType<typeof setTimeout> | undefined

/**
 * Remembers the last event a person saw. A stream moves it twenty times a second, so it is stored once a second at
 * most, and when the page closes.
 */
export function rememberSeen(session: string, seq: number): void {
  unwritten.set(session, Math.max(seq, unwritten.get(session) ?? 0))
  writing ??= setTimeout(writeSeen, 1_000)
}

function writeSeen(): void {
  clearTimeout(writing)
  writing = undefined
  for (const [session, seq] of unwritten) if (seq > storedSeen(session)) remember(`seen.${session}`, String(seq))
  unwritten.clear()
}

if (typeof addEventListener === 'function') addEventListener('pagehide', writeSeen)
