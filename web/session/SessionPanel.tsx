import { Tabs } from '@base-ui/react/tabs'
import { Maximize2, Minimize2, X } from 'lucide-react'
import { lazy, Suspense } from 'react'
import type { Session } from '../../src/model/tree.ts'
import { PANEL_TABS, type PanelTab, panel, showPanel, togglePanel } from '../data/panel.ts'
import type { SessionData } from '../data/session-data.ts'
import { texts } from '../texts/texts.ts'
import { IconButton } from '../ui/Button.tsx'
import { useCell } from '../ui/cell.ts'
import './panel.css'

const FilesPanel = lazy(() => import('../files/FilesPanel.tsx').then((file) => ({ default: file.FilesPanel })))
const TimelinePanel = lazy(() =>
  import('../timeline/TimelinePanel.tsx').then((file) => ({ default: file.TimelinePanel })),
)
const BrowserPanel = lazy(() => import('../browser/BrowserPanel.tsx').then((file) => ({ default: file.BrowserPanel })))
const RunsPanel = lazy(() => import('./RunsPanel.tsx').then((file) => ({ default: file.RunsPanel })))

/** The panel beside the transcript: files, timeline, runs and browser. */
export function SessionPanel({ data, row, stamp }: { data: SessionData; row: Session; stamp: string }) {
  const { tab, wide } = useCell(panel)
  const labels = texts.files.panel
  const size = wide ? labels.narrower : labels.wider
  return (
    <Tabs.Root className="panel-tabs" value={tab ?? 'files'} onValueChange={(next) => showPanel(next as PanelTab)}>
      <header className="panel-head">
        <Tabs.List className="panel-list grow" activateOnFocus>
          {PANEL_TABS.map((each) => (
            <Tabs.Tab key={each} value={each} className="panel-tab">
              {texts.files.tabs[each]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <IconButton
          icon={wide ? Minimize2 : Maximize2}
          label={size}
          className="panel-size"
          aria-pressed={wide}
          onClick={() => showPanel(tab, { wide: !wide })}
        />
        <IconButton icon={X} label={labels.hide} onClick={togglePanel} />
      </header>
      <Suspense>
        <Tabs.Panel value="files" className="panel-body">
          <FilesPanel row={row} stamp={stamp} />
        </Tabs.Panel>
        <Tabs.Panel value="timeline" className="panel-body">
          <TimelinePanel row={row} stamp={stamp} />
        </Tabs.Panel>
        <Tabs.Panel value="runs" className="panel-body">
          <RunsPanel data={data} project={row.project} />
        </Tabs.Panel>
        <Tabs.Panel value="browser" className="panel-body">
          <BrowserPanel row={row} />
        </Tabs.Panel>
      </Suspense>
    </Tabs.Root>
  )
}
