import { type ReactNode, useState } from 'react'
import { CarrelError } from '../../src/model/errors.ts'
import type { SessionData } from '../data/session-data.ts'
import { PageContext } from '../data/use-page.ts'
import { Composer } from '../session/Composer.tsx'
import { QueuePanel } from '../session/QueuePanel.tsx'
import { rowsOf } from '../session/rows.ts'
import { StatusStrip } from '../session/StatusStrip.tsx'
import { SessionContext } from '../session/session-context.ts'
import { Transcript } from '../session/Transcript.tsx'
import { TranscriptRow } from '../session/TranscriptRow.tsx'
import { ConnectionBanner } from '../shell/ConnectionBanner.tsx'
import { Problem } from '../ui/Problem.tsx'
import { dockStories } from './dock-stories.ts'
import { FileStories } from './FileStories.tsx'
import { itemStories, manyCalls } from './item-stories.ts'
import { PlanStories } from './PlanStories.tsx'
import { questionStories } from './question-stories.ts'
import { PROJECT, ROOT, story } from './story-log.ts'
import { storyPage, withQuestions } from './story-page.ts'
import './stories.css'

/** Every state of every kind, one under the other. */
export function StoriesPage() {
  const [now] = useState(() => Date.now())
  return (
    <main className="stories">
      <h1>Stories</h1>
      {Object.entries({ ...itemStories(now), ...questionStories(now) }).map(([title, data]) => (
        <Story key={title} title={title} data={data}>
          <Rows data={data} />
        </Story>
      ))}
      {Object.entries(dockStories(now)).map(([title, data]) => (
        <Story key={title} title={title} data={data}>
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
        </Story>
      ))}
      <Story title="500 calls in one run" data={manyCalls(now, 500)} tall />
      <Story title="An empty session" data={story(now).data()} tall />
      <FileStories now={now} />
      <PlanStories now={now} />
      <Banners now={now} />
    </main>
  )
}

interface Props {
  readonly title: string
  readonly data: SessionData
  /** The whole transcript in a window of its own. */
  readonly tall?: boolean
  readonly children?: ReactNode
}

function Story({ title, data, tall = false, children }: Props) {
  const [page] = useState(() => storyPage(withQuestions(data)))
  const [scope] = useState({ session: data.id, workspace: 'default', project: PROJECT, root: ROOT, live: true })
  const [shown] = useState(data)
  return (
    <section className="story" aria-label={title}>
      <h2>{title}</h2>
      <PageContext value={page}>
        <SessionContext value={scope}>
          {tall ? (
            <div className="story-window session-main">
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

/** All rows at once, where the transcript makes those in sight. The line of what is new stands after the third. */
function Rows({ data }: { data: SessionData }) {
  return (
    <ol className="story-rows">
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
  const [page] = useState(() => storyPage({ connection: { ...cut, nextTryAt: now + 3_600_000 } }))
  return (
    <section className="story" aria-label="Banners and problems">
      <h2>Banners and problems</h2>
      <PageContext value={page}>
        <ConnectionBanner />
      </PageContext>
      <Problem
        error={new CarrelError('unavailable', 'The agent could not be started. Is it installed?')}
        what="Not sent."
      />
      <p className="empty" role="status">
        Loading the session ...
      </p>
    </section>
  )
}
