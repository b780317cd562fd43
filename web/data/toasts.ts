import { asCarrelError } from '../../src/model/errors.ts'
import { createCell } from '../ui/cell.ts'

/** The result of an act that shows nowhere else. */
export interface Toast {
  readonly id: number
  readonly text: string
  /** The act failed. A problem stays until a person dismisses it. */
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
  if (!toast.problem) setTimeout(() => dismiss(toast.id), SHOWN_MS)
}

export const dismiss = (id: number): void => toasts.set(toasts.get().filter((toast) => toast.id !== id))

/** Runs an act. Reports its failure, and its success where the view alone would not show it. */
export async function attempt(what: string, act: () => Promise<unknown>, done?: string | (() => void)): Promise<void> {
  try {
    await act()
    if (typeof done === 'string') say(done)
    else done?.()
  } catch (thrown) {
    say(`${what}: ${asCarrelError(thrown).message}`, { problem: true })
  }
}
