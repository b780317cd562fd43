import { createCell } from '../ui/cell.ts'
import { recall, remember } from './memory.ts'

export const PANEL_TABS = ['files', 'timeline', 'runs', 'browser'] as const
export type PanelTab = (typeof PANEL_TABS)[number]

/** The state of the panel beside the transcript. */
export interface PanelState {
  readonly tab: PanelTab | null
  /** The panel takes the place of the transcript. */
  readonly wide: boolean
  /** Shows the changes of one run, or since a snapshot, instead of those of the session. */
  readonly run: string | null
  readonly since: number | null
  /** The path to expand. */
  readonly path: string | null
}

const NOWHERE = { run: null, since: null, path: null } as const
const readTab = (): PanelTab | null => PANEL_TABS.find((tab) => tab === recall('panel')) ?? null

export const panel = createCell<PanelState>({ tab: readTab(), wide: false, ...NOWHERE })

export function showPanel(tab: PanelTab | null, more: Partial<Omit<PanelState, 'tab'>> = {}): void {
  panel.set({ ...panel.get(), ...more, tab })
  remember('panel', tab)
}

/** Opens the panel at its last tab, or closes it. */
export function togglePanel(): void {
  const last = PANEL_TABS.find((tab) => tab === recall('panel.last')) ?? 'files'
  const { tab } = panel.get()
  if (tab) remember('panel.last', tab)
  showPanel(tab ? null : last)
}

/** Shows a tab, or closes the panel if that tab is open. */
export const toggleTab = (tab: PanelTab): void => showPanel(panel.get().tab === tab ? null : tab)

/** Makes the composer visible where the panel covers it. */
export const leaveForPrompt = (): void =>
  matchMedia('(max-width: 1000px)').matches ? showPanel(null) : showPanel(panel.get().tab, { wide: false })

/** Forgets run, snapshot and path: they belong to the session that is left. */
export const leavePanel = (): void => panel.set({ ...panel.get(), ...NOWHERE })

const NARROWEST = 280
const WIDEST = 1_100
/** The least width of the transcript. */
const BESIDE = 420

/** Returns the nearest possible width of the panel. px. */
export const panelWidth = (wanted: number): number =>
  Math.round(Math.min(Math.max(wanted, NARROWEST), Math.max(NARROWEST, Math.min(WIDEST, innerWidth - 248 - BESIDE))))

export const recallWidth = (): number => panelWidth(Number(recall('panel.width') ?? 420) || 420)
export const rememberWidth = (width: number): void => remember('panel.width', String(width))
