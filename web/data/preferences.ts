import { createCell, useCell } from '../ui/cell.ts'
import { recall, remember } from './memory.ts'

/** Preferences of this browser. They are stored in it alone. */
export interface Preferences {
  readonly theme: 'system' | 'light' | 'dark'
  readonly density: 'comfortable' | 'compact'
  /** Shows a notification for events while the page is hidden. Needs the permission of the browser. */
  readonly notify: boolean
  /** Plays a short tone for the same events. */
  readonly sound: boolean
}

const DEFAULTS: Preferences = { theme: 'system', density: 'comfortable', notify: false, sound: false }
const KEY = 'preferences'

/** Reads stored preferences. Values of another version or of a manual edit fall back to the default. */
function readPreferences(stored: string | null): Preferences {
  let parsed: Record<string, unknown>
  try {
    parsed = (JSON.parse(stored ?? '{}') ?? {}) as Record<string, unknown>
  } catch {
    return DEFAULTS
  }
  const { theme, density, notify, sound } = parsed
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

/** Sets theme and density on the document, where tokens.css reads them. */
export function showPreferences(): void {
  const { theme, density } = preferences.get()
  const root = document.documentElement
  // Without these attributes the tokens use the system's theme and the comfortable density.
  root.toggleAttribute('data-theme', theme !== 'system')
  root.toggleAttribute('data-density', density !== 'comfortable')
  if (theme !== 'system') root.setAttribute('data-theme', theme)
  if (density !== 'comfortable') root.setAttribute('data-density', density)
}

// Follows a change in another tab of this browser.
addEventListener('storage', ({ key, newValue }) => {
  if (key !== `carrel.${KEY}`) return
  preferences.set(readPreferences(newValue))
  showPreferences()
})
