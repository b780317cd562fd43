import { Archive, Square, X } from 'lucide-react'
import { useState } from 'react'
import type { Session } from '../../src/model/tree.ts'
import { archive, eachOf, sayProblems } from '../data/archive.ts'
import { say } from '../data/toasts.ts'
import { usePage, useSubmit, useWorkspaceId } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Button, IconButton } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { type Column, stoppable } from './columns.ts'
import type { Marks } from './use-marks.ts'

const NAMED = 6

type MarkedAct = 'stop' | 'archive'

/** The acts on selected cards. Each asks first and reports its result. */
export function MarkedBar({ columns, marks }: { columns: readonly Column[]; marks: Marks }) {
  const [asked, setAsked] = useState<MarkedAct | null>(null)
  const marked = columns.flatMap(({ cards }) => cards.map(({ session }) => session)).filter(({ id }) => marks.has(id))
  const running = marked.filter(stoppable)
  if (marked.length === 0) return null
  const labels = texts.board.marked
  const close = (): void => setAsked(null)
  const finish = (): void => {
    setAsked(null)
    marks.clear()
  }
  return (
    <section className="marked-bar" aria-label={labels.title}>
      <p className="grow" role="status">
        {labels.count(marked.length)}
      </p>
      <Button icon={Square} disabled={running.length === 0} onClick={() => setAsked('stop')}>
        {labels.stop(running.length)}
      </Button>
      <Button icon={Archive} label={labels.archive(marked.length)} onClick={() => setAsked('archive')} />
      <IconButton icon={X} label={labels.unmark} onClick={marks.clear} />
      {asked === 'stop' && <StopMarked sessions={running} onClose={close} onDone={finish} />}
      {asked === 'archive' && <ArchiveMarked sessions={marked} runs={running.length} onClose={close} onDone={finish} />}
    </section>
  )
}

interface MarkedProps {
  readonly sessions: readonly Session[]
  readonly onClose: () => void
  readonly onDone: () => void
}

function StopMarked({ sessions, onClose, onDone }: MarkedProps) {
  const page = usePage()
  const workspace = useWorkspaceId()
  const labels = texts.board.stop
  const stop = useSubmit(async () => {
    const { done, problems } = await eachOf(sessions, (id, { lastRun }) => {
      // A known run is named, so that the next run is never stopped by mistake.
      const run = lastRun && lastRun.outcome === null ? { run: lastRun.id } : {}
      return page.call('sessions.cancel', { workspace, id, ...run })
    })
    if (done.length > 0) say(labels.done(done.length))
    sayProblems(labels.notDone, problems)
    onDone()
  })
  return (
    <Confirm title={labels.title(sessions.length)} sessions={sessions} onClose={onClose}>
      <p className="dim">{labels.text}</p>
      <Button className="danger" disabled={stop.pending} onClick={() => stop.run()}>
        {stop.pending ? labels.pending : texts.board.marked.stop(sessions.length)}
      </Button>
    </Confirm>
  )
}

function ArchiveMarked({ sessions, runs, onClose, onDone }: MarkedProps & { readonly runs: number }) {
  const page = usePage()
  const labels = texts.board.archive
  const put = useSubmit(async () => {
    await archive(page, 'session', sessions)
    onDone()
  })
  return (
    <Confirm title={labels.title(sessions.length)} sessions={sessions} onClose={onClose}>
      <p className="dim">{labels.text(runs)}</p>
      <Button className="primary" disabled={put.pending} onClick={() => put.run()}>
        {put.pending ? labels.pending : texts.board.marked.archive(sessions.length)}
      </Button>
    </Confirm>
  )
}

interface ConfirmProps {
  readonly title: string
  readonly sessions: readonly Session[]
  readonly onClose: () => void
  readonly children: [React.ReactNode, React.ReactNode]
}

function Confirm({ title, sessions, onClose, children: [labels, act] }: ConfirmProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <ul className="marked-names">
        {sessions.slice(0, NAMED).map(({ id, name }) => (
          <li key={id} className="cut">
            {name}
          </li>
        ))}
        {sessions.length > NAMED && <li className="faint">{texts.board.marked.more(sessions.length - NAMED)}</li>}
      </ul>
      {labels}
      <div className="actions">
        <Button label={texts.board.marked.leave} onClick={onClose} />
        {act}
      </div>
    </Dialog>
  )
}
