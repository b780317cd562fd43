import { asCarrelError } from '../../src/model/errors.ts'
import { createCell } from '../ui/cell.ts'

/** What came of something that was asked for and that shows nowhere else. */
export interface Toast {
  readonly id: number
  readonly text: string
  /** It did not work. Stays until it is put away. */
  readonly problem: boolean
  readonly action: { readonly label: string; readonly act: () => void } | null
}

export const toasts = createCell<readonly Toast[]>([])

const MOST = 4
const SHOWN_MS = 8_000
let last = 0

export function say(text: string, more: Partial<Pick<Toast, 'problem' | 'action'>> = {}): void {
  last += 1
  const toast: Toast = { id: last, text, problem: false, action: null, ...more }
  toasts.set([...toasts.get(), toast].slice(-MOST))
  if (!toast.problem) setTimeout(() => putAway(toast.id), SHOWN_MS)
}

export const putAway = (id: number): void => toasts.set(toasts.get().filter((toast) => toast.id !== id))

/** Carries something out, and says what went wrong, or what was done where the screen alone would not tell. */
export async function attempt(what: string, act: () => Promise<unknown>, done?: string | (() => void)): Promise<void> {
  try {
    await act()
    if (typeof done === 'string') say(done)
    else done?.()
  } catch (thrown) {
    say(`${what}: ${asCarrelError(thrown).message}`, { problem: true })
  }
}
