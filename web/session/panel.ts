import { recall, remember } from '../data/memory.ts'
import { createCell } from '../ui/cell.ts'

export const PANEL_TABS = ['files', 'timeline', 'runs', 'browser'] as const
export type PanelTab = (typeof PANEL_TABS)[number]

/** What stands beside the transcript, and what of it is looked at. */
export interface PanelState {
  readonly tab: PanelTab | null
  /** In place of the transcript. */
  readonly wide: boolean
  /** Changes of one run, or since a snapshot, instead of those of the session. */
  readonly run: string | null
  readonly since: number | null
  /** A path to be opened. */
  readonly path: string | null
}

const NOWHERE = { run: null, since: null, path: null } as const
const readTab = (): PanelTab | null => PANEL_TABS.find((tab) => tab === recall('panel')) ?? null

export const panel = createCell<PanelState>({ tab: readTab(), wide: false, ...NOWHERE })

export function showPanel(tab: PanelTab | null, more: Partial<Omit<PanelState, 'tab'>> = {}): void {
  panel.set({ ...panel.get(), ...more, tab })
  remember('panel', tab)
}

/** Opens the panel as it was last, or closes it. */
export function togglePanel(): void {
  const last = PANEL_TABS.find((tab) => tab === recall('panel.last')) ?? 'files'
  const { tab } = panel.get()
  if (tab) remember('panel.last', tab)
  showPanel(tab ? null : last)
}

/** Shows a part, or puts the panel away where it shows that already. */
export const toggleTab = (tab: PanelTab): void => showPanel(panel.get().tab === tab ? null : tab)

/** Makes room for the composer, where the panel stands in its place. */
export const leaveForPrompt = (): void =>
  matchMedia('(max-width: 1000px)').matches ? showPanel(null) : showPanel(panel.get().tab, { wide: false })

/** Another session has other runs and paths. */
export const leavePanel = (): void => panel.set({ ...panel.get(), ...NOWHERE })

const NARROWEST = 280
const WIDEST = 1_100
/** Left for the transcript. */
const BESIDE = 420

/** A width that can be, in px. */
export const panelWidth = (wanted: number): number =>
  Math.round(Math.min(Math.max(wanted, NARROWEST), Math.max(NARROWEST, Math.min(WIDEST, innerWidth - 248 - BESIDE))))

export const recallWidth = (): number => panelWidth(Number(recall('panel.width') ?? 420) || 420)
export const rememberWidth = (width: number): void => remember('panel.width', String(width))
