import { Archive, Square, X } from 'lucide-react'
import { useState } from 'react'
import type { Session } from '../../src/model/tree.ts'
import { usePage, useSubmit, useWorkspaceId } from '../data/use-page.ts'
import { archive, eachOf, sayProblems } from '../shell/archive.ts'
import { say } from '../shell/toasts.ts'
import { Dialog } from '../ui/Dialog.tsx'
import { count } from '../ui/format.ts'
import { type Column, stoppable } from './columns.ts'
import type { Marks } from './use-marks.ts'

const NAMED = 6

/** What can be done with the marked cards. Asks first, and says what came of it. */
export function MarkedBar({ columns, marks }: { columns: readonly Column[]; marks: Marks }) {
  const page = usePage()
  const workspace = useWorkspaceId()
  const [asked, setAsked] = useState<'stop' | 'archive' | null>(null)
  const marked = columns.flatMap(({ cards }) => cards.map(({ session }) => session)).filter(({ id }) => marks.has(id))
  const running = marked.filter(stoppable)
  const done = (): void => {
    setAsked(null)
    marks.clear()
  }
  const stop = useSubmit(async () => {
    const { done: stopped, problems } = await eachOf(running, (id, { lastRun }) => {
      // Named where it is known, so that the next run is never hit.
      const run = lastRun && lastRun.outcome === null ? { run: lastRun.id } : {}
      return page.call('sessions.cancel', { workspace, id, ...run })
    })
    if (stopped.length > 0) say(`${count(stopped.length, 'session')} told to stop.`)
    sayProblems('not stopped', problems)
    done()
  })
  const put = useSubmit(async () => {
    await archive(page, 'session', marked)
    done()
  })
  if (marked.length === 0) return null
  return (
    <section className="marked-bar" aria-label="Marked sessions">
      <p className="grow" role="status">
        {count(marked.length, 'session')} marked
      </p>
      <button type="button" className="btn" disabled={running.length === 0} onClick={() => setAsked('stop')}>
        <Square aria-hidden />
        Stop {running.length > 0 && running.length}
      </button>
      <button type="button" className="btn" onClick={() => setAsked('archive')}>
        <Archive aria-hidden />
        Archive {marked.length}
      </button>
      <button type="button" className="btn quiet icon" aria-label="Unmark all" title="Unmark all" onClick={marks.clear}>
        <X aria-hidden />
      </button>
      {asked === 'stop' && (
        <Confirm title={`Stop ${count(running.length, 'session')}?`} sessions={running} onClose={() => setAsked(null)}>
          <p className="dim">Their runs end; what waits in their queues comes next. What was done stays done.</p>
          <button type="button" className="btn danger" disabled={stop.pending} onClick={() => stop.run()}>
            {stop.pending ? 'Stopping ...' : `Stop ${running.length}`}
          </button>
        </Confirm>
      )}
      {asked === 'archive' && (
        <Confirm title={`Archive ${count(marked.length, 'session')}?`} sessions={marked} onClose={() => setAsked(null)}>
          <p className="dim">
            They leave rail and board and can be brought back.
            {running.length > 0 &&
              ` ${count(running.length, 'run')} in them ${running.length === 1 ? 'goes' : 'go'} on.`}
          </p>
          <button type="button" className="btn primary" disabled={put.pending} onClick={() => put.run()}>
            {put.pending ? 'Archiving ...' : `Archive ${marked.length}`}
          </button>
        </Confirm>
      )}
    </section>
  )
}

interface ConfirmProps {
  readonly title: string
  readonly sessions: readonly Session[]
  readonly onClose: () => void
  readonly children: [React.ReactNode, React.ReactNode]
}

function Confirm({ title, sessions, onClose, children: [words, act] }: ConfirmProps) {
  return (
    <Dialog title={title} open onClose={onClose}>
      <ul className="marked-names">
        {sessions.slice(0, NAMED).map(({ id, name }) => (
          <li key={id} className="cut">
            {name}
          </li>
        ))}
        {sessions.length > NAMED && <li className="faint">and {sessions.length - NAMED} more</li>}
      </ul>
      {words}
      <div className="actions">
        <button type="button" className="btn" onClick={onClose}>
          Leave them
        </button>
        {act}
      </div>
    </Dialog>
  )
}
