import { lazy, Suspense, useCallback, useMemo, useState } from 'react'
import type { Session } from '../../src/model/tree.ts'
import { recall, recallSeen, remember } from '../data/memory.ts'
import type { SessionData } from '../data/session-data.ts'
import { usePageState } from '../data/use-page.ts'
import { useOffer } from '../shell/commands.ts'
import { texts } from '../texts/texts.ts'
import { Composer } from './Composer.tsx'
import { QueuePanel } from './QueuePanel.tsx'
import { SessionHeader } from './SessionHeader.tsx'
import { StatusStrip } from './StatusStrip.tsx'
import { SessionContext } from './session-context.ts'
import { Transcript } from './Transcript.tsx'
import { useAnswerKeys } from './use-answer-keys.ts'
import { useFind } from './use-find.ts'
import './session.css'

const FindBox = lazy(() => import('./FindBox.tsx').then(({ FindBox }) => ({ default: FindBox })))
const RunsPanel = lazy(() => import('./RunsPanel.tsx').then(({ RunsPanel }) => ({ default: RunsPanel })))

export function SessionView({ data, row }: { data: SessionData; row: Session }) {
  const [panel, setPanel] = useState(recall('panel') === 'runs')
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
    () => ({ session: data.id, workspace: row.workspace, root, live }),
    [data.id, row.workspace, root, live],
  )
  useAnswerKeys(data)
  const find = useFind()
  const toggle = useCallback(() => {
    setPanel((open) => {
      remember('panel', open ? null : 'runs')
      return !open
    })
  }, [])
  useOffer('panel', toggle)
  useOffer('find', find.begin)
  return (
    <SessionContext value={scope}>
      <SessionHeader row={row} panel={panel} onPanel={toggle} />
      <div className="session" data-panel={panel || undefined}>
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
        {panel && (
          <aside className="panel" aria-label={texts.session.runs.title}>
            <Suspense>
              <RunsPanel data={data} onClose={toggle} />
            </Suspense>
          </aside>
        )}
      </div>
    </SessionContext>
  )
}
