const WHEN = 'When an agent has a question, and when a run ends'

export const settings = {
  title: 'Settings of this browser',
  theme: 'Theme',
  themes: { system: 'System', light: 'Light', dark: 'Dark' },
  density: 'Density',
  densities: { comfortable: 'Comfortable', compact: 'Compact' },
  hidden: 'While this page is in the background',
  tone: 'Play a short tone',
  toneNote: WHEN,
  notify: 'Show a notification',
  notifyNotes: {
    default: `${WHEN}. Your browser will ask for permission once.`,
    granted: WHEN,
    denied: 'Notifications of this site are blocked. Allow them in the browser’s site settings, then reload.',
    impossible: 'Notifications need https, or a page on this machine.',
  },
} as const
