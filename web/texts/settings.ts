import type { NotifyState } from '../notify/browser.ts'
import type { Preferences } from '../shell/preferences.ts'

const WHEN = 'When an agent asks, and when a run ends.'

export const settings = {
  title: 'Settings of this browser',
  theme: 'Theme',
  themes: { system: 'System', light: 'Light', dark: 'Dark' } satisfies Record<Preferences['theme'], string>,
  density: 'Density',
  densities: {
    comfortable: 'Comfortable',
    compact: 'Compact',
  } satisfies Record<Preferences['density'], string>,
  hidden: 'While this page is hidden',
  tone: 'Play a short tone',
  toneNote: WHEN,
  notify: 'Show a notification',
  notifyNotes: {
    default: `${WHEN} The browser asks you once.`,
    granted: WHEN,
    denied: 'This browser was told to show none from here. Allow them in its settings for this site, then reload.',
    impossible: 'This browser shows none from here. It takes https, or a page on this machine.',
  } satisfies Record<NotifyState, string>,
} as const
