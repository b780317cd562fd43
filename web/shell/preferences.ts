import { recall, remember } from '../data/memory.ts'
import { createCell, useCell } from '../ui/cell.ts'

/** How this browser wants the page. Kept in it alone. */
export interface Preferences {
  readonly theme: 'system' | 'light' | 'dark'
  readonly density: 'comfortable' | 'compact'
  /** Show what happened while the page was hidden. Holds only as long as the browser allows it. */
  readonly notify: boolean
  /** A short tone with it. */
  readonly sound: boolean
}

const DEFAULTS: Preferences = { theme: 'system', density: 'comfortable', notify: false, sound: false }
const KEY = 'preferences'

/** Whatever another version or a person left there: what is not understood is as if it were not said. */
export function readPreferences(stored: string | null): Preferences {
  let said: Record<string, unknown>
  try {
    said = (JSON.parse(stored ?? '{}') ?? {}) as Record<string, unknown>
  } catch {
    return DEFAULTS
  }
  const { theme, density, notify, sound } = said
  return {
    theme: theme === 'light' || theme === 'dark' ? theme : 'system',
    density: density === 'compact' ? density : 'comfortable',
    notify: notify === true,
    sound: sound === true,
  }
}

const preferences = createCell(readPreferences(recall(KEY)))

export const currentPreferences = preferences.get
export const usePreferences = (): Preferences => useCell(preferences)

export function prefer(change: Partial<Preferences>): void {
  preferences.set({ ...preferences.get(), ...change })
  remember(KEY, JSON.stringify(preferences.get()))
  showPreferences()
}

/** Puts theme and density on the document, where the tokens look for them. */
export function showPreferences(): void {
  const { theme, density } = preferences.get()
  const root = document.documentElement
  // The system's theme and the comfortable density are what the tokens are without these.
  root.toggleAttribute('data-theme', theme !== 'system')
  root.toggleAttribute('data-density', density !== 'comfortable')
  if (theme !== 'system') root.setAttribute('data-theme', theme)
  if (density !== 'comfortable') root.setAttribute('data-density', density)
}

// Another tab of this browser chose something else.
addEventListener('storage', ({ key, newValue }) => {
  if (key !== `carrel.${KEY}`) return
  preferences.set(readPreferences(newValue))
  showPreferences()
})
