import { lazy, Suspense, useEffect, useMemo, useState } from 'react'
import type { Session } from '../../src/model/tree.ts'
import { recallSeen } from '../data/memory.ts'
import type { SessionData } from '../data/session-data.ts'
import { usePageState } from '../data/use-page.ts'
import { useOffer } from '../shell/commands.ts'
import { texts } from '../texts/texts.ts'
import { useCell } from '../ui/cell.ts'
import { Composer } from './Composer.tsx'
import { PanelEdge } from './PanelEdge.tsx'
import { leavePanel, panel, recallWidth, togglePanel, toggleTab } from './panel.ts'
import { QueuePanel } from './QueuePanel.tsx'
import { SessionHeader } from './SessionHeader.tsx'
import { StatusStrip } from './StatusStrip.tsx'
import { SessionContext } from './session-context.ts'
import { Transcript } from './Transcript.tsx'
import { useAnswerKeys } from './use-answer-keys.ts'
import { useFind } from './use-find.ts'
import './session.css'

const FindBox = lazy(() => import('./FindBox.tsx').then(({ FindBox }) => ({ default: FindBox })))
const SessionPanel = lazy(() => import('./SessionPanel.tsx').then((file) => ({ default: file.SessionPanel })))

export function SessionView({ data, row }: { data: SessionData; row: Session }) {
  const { tab, wide } = useCell(panel)
  const [width, setWidth] = useState(recallWidth)
  // What was new when one came stays marked while one is here; what comes while one looks on is not.
  const [seen] = useState(() => {
    const before = recallSeen(data.id)
    return Math.max(row.head, data.items.at(-1)?.n ?? 0) > before ? before : 0
  })
  const live = usePageState((state) => state.connection.state === 'open' && state.synced) && data.caughtUp
  const agent = data.view.agent ?? row.agent
  const root = usePageState(
    ({ workspace }) => workspace?.projects[row.project]?.place.path ?? workspace?.spaces[row.space]?.folder ?? '',
  )
  const scope = useMemo(
    () => ({ session: data.id, workspace: row.workspace, project: row.project, root, live }),
    [data.id, row.workspace, row.project, root, live],
  )
  useAnswerKeys(data)
  const find = useFind()
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
          <Transcript data={data} seen={seen} agent={agent} />
          <div className="dock">
            <StatusStrip view={data.view} />
            <QueuePanel view={data.view} />
            <Composer
              key={data.id}
              agents={data.view.agents}
              state={data.view.state}
              running={data.view.run !== null}
              agent={agent}
            />
          </div>
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

/** Becomes another when the log said something about files: then what is shown of them is asked again. */
function stampOf({ items, view }: SessionData): string {
  const last = items.findLast(({ kind }) => kind === 'files' || kind === 'act')
  return `${last?.seq ?? 0}.${view.run?.id ?? ''}`
}
