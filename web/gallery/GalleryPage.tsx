import { type ReactNode, useState } from 'react'
import { CarrelError } from '../../src/model/errors.ts'
import type { SessionData } from '../data/session-data.ts'
import { PageContext } from '../data/use-page.ts'
import { Composer } from '../session/composer/Composer.tsx'
import { QueuePanel } from '../session/composer/QueuePanel.tsx'
import { StatusStrip } from '../session/StatusStrip.tsx'
import { SessionContext } from '../session/session-context.ts'
import { rowsOf } from '../session/transcript/rows.ts'
import { Transcript } from '../session/transcript/Transcript.tsx'
import { TranscriptRow } from '../session/transcript/TranscriptRow.tsx'
import { ConnectionBanner } from '../shell/ConnectionBanner.tsx'
import { Problem } from '../ui/Problem.tsx'
import { dockExamples } from './dock-examples.ts'
import { PROJECT, ROOT, sessionExample } from './example-log.ts'
import { examplePage, withQuestions } from './example-page.ts'
import { FileExamples } from './FileExamples.tsx'
import { itemExamples, manyCalls } from './item-examples.ts'
import { PlanExamples } from './PlanExamples.tsx'
import { questionExamples } from './question-examples.ts'
import './gallery.css'

/** All examples, one below the other. */
export function GalleryPage() {
  const [now] = useState(() => Date.now())
  return (
    <main className="gallery">
      <h1>Gallery</h1>
      {Object.entries({ ...itemExamples(now), ...questionExamples(now) }).map(([title, data]) => (
        <Example key={title} title={title} data={data}>
          <Rows data={data} />
        </Example>
      ))}
      {Object.entries(dockExamples(now)).map(([title, data]) => (
        <Example key={title} title={title} data={data}>
          <div className="dock">
            <StatusStrip view={data.view} />
            <QueuePanel view={data.view} />
            <Composer
              agents={data.view.agents}
              state={data.view.state}
              running={data.view.run !== null}
              agent="scripted"
            />
          </div>
        </Example>
      ))}
      <Example title="500 calls in one run" data={manyCalls(now, 500)} tall />
      <Example title="An empty session" data={sessionExample(now).data()} tall />
      <FileExamples now={now} />
      <PlanExamples now={now} />
      <Banners now={now} />
    </main>
  )
}

interface Props {
  readonly title: string
  readonly data: SessionData
  /** Shows the whole transcript in a scrolling window. */
  readonly tall?: boolean
  readonly children?: ReactNode
}

function Example({ title, data, tall = false, children }: Props) {
  const [page] = useState(() => examplePage(withQuestions(data)))
  const [scope] = useState({ session: data.id, workspace: 'default', project: PROJECT, root: ROOT, live: true })
  const [shown] = useState(data)
  return (
    <section className="example" aria-label={title}>
      <h2>{title}</h2>
      <PageContext value={page}>
        <SessionContext value={scope}>
          {tall ? (
            <div className="example-window session-main">
              <Transcript data={shown} seen={0} agent="scripted" />
            </div>
          ) : (
            children
          )}
        </SessionContext>
      </PageContext>
    </section>
  )
}

/** All rows, without the transcript's window of rows. The mark of new rows stands after the third. */
function Rows({ data }: { data: SessionData }) {
  return (
    <ol className="example-rows">
      {rowsOf(data.items, data.items[2]?.n ?? 0, data.head).map((row) => (
        <li key={row.key}>
          <TranscriptRow row={row} />
        </li>
      ))}
    </ol>
  )
}

function Banners({ now }: { now: number }) {
  const cut = { state: 'cut', since: now - 12_000, attempt: 3, reason: 'The server fell silent.' } as const
  const [page] = useState(() => examplePage({ connection: { ...cut, nextTryAt: now + 3_600_000 } }))
  return (
    <section className="example" aria-label="Banners and problems">
      <h2>Banners and problems</h2>
      <PageContext value={page}>
        <ConnectionBanner />
      </PageContext>
      <Problem
        error={new CarrelError('unavailable', 'The agent could not be started. Is it installed?')}
        what="Not sent."
      />
      <p className="empty" role="status">
        Loading the session…
      </p>
    </section>
  )
}
