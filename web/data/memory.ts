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

export const recallSeen = (session: string): number => Number(recall(`seen.${session}`) ?? 0)
export const rememberSeen = (session: string, seq: number): void => {
  if (seq > recallSeen(session)) remember(`seen.${session}`, String(seq))
}
