import { lazy, Suspense, useEffect, useMemo, useState } from 'react'
import type { Session } from '../../src/model/tree.ts'
import { useOffer } from '../data/commands.ts'
import { recallSeen } from '../data/memory.ts'
import { leavePanel, panel, recallWidth, togglePanel, toggleTab } from '../data/panel.ts'
import type { SessionData } from '../data/session-data.ts'
import { usePageState } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { useCell } from '../ui/cell.ts'
import { Composer } from './composer/Composer.tsx'
import { QueuePanel } from './composer/QueuePanel.tsx'
import { PanelEdge } from './PanelEdge.tsx'
import { useAnswerKeys } from './questions/use-answer-keys.ts'
import { SessionHeader } from './SessionHeader.tsx'
import { StatusStrip } from './StatusStrip.tsx'
import { SessionContext } from './session-context.ts'
import { Transcript } from './transcript/Transcript.tsx'
import { useFind } from './use-find.ts'
import './session.css'

const FindBox = lazy(() => import('./FindBox.tsx').then(({ FindBox }) => ({ default: FindBox })))
const SessionPanel = lazy(() => import('./SessionPanel.tsx').then((file) => ({ default: file.SessionPanel })))

/** A session: its head, its transcript with the composer, and the side panel. */
export function SessionView({ data, row }: { data: SessionData; row: Session }) {
  const { tab, wide } = useCell(panel)
  const [width, setWidth] = useState(recallWidth)
  const seen = useSeenBefore(data, row)
  const scope = useScope(data, row)
  const find = useFind()
  useAnswerKeys(data)
  useEffect(() => leavePanel, [])
  useOffer('panel', togglePanel)
  useOffer('tab', toggleTab)
  useOffer('find', find.begin)
  return (
    <SessionContext value={scope}>
      <SessionHeader row={row} panel={tab !== null} onPanel={togglePanel} />
      <div
        className="session"
        data-panel={tab ?? undefined}
        data-wide={(tab && wide) || undefined}
        style={{ '--panel': `${width}px` } as React.CSSProperties}
      >
        <div className="session-main">
          {find.open && (
            <Suspense>
              <FindBox session={data.id} onClose={find.end} />
            </Suspense>
          )}
          <Transcript data={data} seen={seen} agent={agentOf(data, row)} />
          <Dock data={data} row={row} />
        </div>
        {tab && (
          <aside className="panel" aria-label={texts.files.tabs[tab]}>
            <PanelEdge width={width} onWidth={setWidth} />
            <Suspense>
              <SessionPanel data={data} row={row} stamp={stampOf(data)} />
            </Suspense>
          </aside>
        )}
      </div>
    </SessionContext>
  )
}

function Dock({ data, row }: { data: SessionData; row: Session }) {
  const { view } = data
  return (
    <div className="dock">
      <StatusStrip view={view} />
      <QueuePanel view={view} />
      <Composer
        key={data.id}
        agents={view.agents}
        state={view.state}
        running={view.run !== null}
        agent={agentOf(data, row)}
      />
    </div>
  )
}

const agentOf = ({ view }: SessionData, row: Session): string => view.agent ?? row.agent

/** Returns the last position of the previous visit, or 0 without news. The result is constant during this visit. */
function useSeenBefore(data: SessionData, row: Session): number {
  const [seen] = useState(() => {
    const before = recallSeen(data.id)
    return Math.max(row.head, data.items.at(-1)?.n ?? 0) > before ? before : 0
  })
  return seen
}

function useScope(data: SessionData, row: Session) {
  const live = usePageState((state) => state.connection.state === 'open' && state.synced) && data.caughtUp
  const root = usePageState(
    ({ workspace }) => workspace?.projects[row.project]?.place.path ?? workspace?.spaces[row.space]?.folder ?? '',
  )
  return useMemo(
    () => ({ session: data.id, workspace: row.workspace, project: row.project, root, live }),
    [data.id, row.workspace, row.project, root, live],
  )
}

/** Returns a text that changes when the log reports changed files. The panel then loads them again. */
function stampOf({ items, view }: SessionData): string {
  const last = items.findLast(({ kind }) => kind === 'files' || kind === 'act')
  return `${last?.seq ?? 0}.${view.run?.id ?? ''}`
}
