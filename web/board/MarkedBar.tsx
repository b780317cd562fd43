import { Archive, Square, X } from 'lucide-react'
import { useState } from 'react'
import type { Session } from '../../src/model/tree.ts'
import { usePage, useSubmit, useWorkspaceId } from '../data/use-page.ts'
import { archive, eachOf, sayProblems } from '../shell/archive.ts'
import { say } from '../shell/toasts.ts'
import { texts } from '../texts/texts.ts'
import { Dialog } from '../ui/Dialog.tsx'
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
    if (stopped.length > 0) say(texts.board.stop.done(stopped.length))
    sayProblems(texts.board.stop.notDone, problems)
    done()
  })
  const put = useSubmit(async () => {
    await archive(page, 'session', marked)
    done()
  })
  if (marked.length === 0) return null
  return (
    <section className="marked-bar" aria-label={texts.board.marked.title}>
      <p className="grow" role="status">
        {texts.board.marked.count(marked.length)}
      </p>
      <button type="button" className="btn" disabled={running.length === 0} onClick={() => setAsked('stop')}>
        <Square aria-hidden />
        {texts.board.marked.stop(running.length)}
      </button>
      <button type="button" className="btn" onClick={() => setAsked('archive')}>
        <Archive aria-hidden />
        {texts.board.marked.archive(marked.length)}
      </button>
      <button
        type="button"
        className="btn quiet icon"
        aria-label={texts.board.marked.unmark}
        title={texts.board.marked.unmark}
        onClick={marks.clear}
      >
        <X aria-hidden />
      </button>
      {asked === 'stop' && (
        <Confirm title={texts.board.stop.title(running.length)} sessions={running} onClose={() => setAsked(null)}>
          <p className="dim">{texts.board.stop.text}</p>
          <button type="button" className="btn danger" disabled={stop.pending} onClick={() => stop.run()}>
            {stop.pending ? texts.board.stop.pending : texts.board.marked.stop(running.length)}
          </button>
        </Confirm>
      )}
      {asked === 'archive' && (
        <Confirm title={texts.board.archive.title(marked.length)} sessions={marked} onClose={() => setAsked(null)}>
          <p className="dim">{texts.board.archive.text(running.length)}</p>
          <button type="button" className="btn primary" disabled={put.pending} onClick={() => put.run()}>
            {put.pending ? texts.board.archive.pending : texts.board.marked.archive(marked.length)}
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
        {sessions.length > NAMED && <li className="faint">{texts.board.marked.more(sessions.length - NAMED)}</li>}
      </ul>
      {words}
      <div className="actions">
        <button type="button" className="btn" onClick={onClose}>
          {texts.board.marked.leave}
        </button>
        {act}
      </div>
    </Dialog>
  )
}
