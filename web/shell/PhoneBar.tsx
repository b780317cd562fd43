import { Link, useParams } from '@tanstack/react-router'
import { FileDiff, Inbox, ListTree, MessageSquareText } from 'lucide-react'
import { recall } from '../data/memory.ts'
import { type PanelTab, panel, showPanel } from '../data/panel.ts'
import { texts } from '../texts/texts.ts'
import { useCell } from '../ui/cell.ts'

/** The navigation of a phone, at the bottom of the screen. */
export function PhoneBar({ rail, questions, onRail }: { rail: boolean; questions: number; onRail: () => void }) {
  const { session: here } = useParams({ strict: false })
  const session = here ?? recall('session')
  const { tab } = useCell(panel)
  /** Closes the sidebar and shows the session, at its transcript or its panel. */
  const leave = (next: PanelTab | null): void => {
    if (rail) onRail()
    showPanel(next)
  }
  return (
    <nav className="phone-bar" aria-label={texts.shell.phone.title}>
      <button type="button" aria-pressed={rail} onClick={onRail}>
        <ListTree aria-hidden />
        {texts.shell.phone.sessions}
      </button>
      {session ? (
        <Link
          to="/s/$session"
          params={{ session }}
          data-active={(here && !rail && tab === null) || undefined}
          onClick={() => leave(null)}
        >
          <MessageSquareText aria-hidden />
          {texts.shell.phone.transcript}
        </Link>
      ) : (
        <Link to="/" onClick={() => rail && onRail()}>
          <MessageSquareText aria-hidden />
          {texts.shell.phone.start}
        </Link>
      )}
      {here && (
        <button type="button" aria-pressed={!rail && tab !== null} onClick={() => leave(tab ?? 'files')}>
          <FileDiff aria-hidden />
          {texts.files.title}
        </button>
      )}
      <Link to="/inbox" onClick={() => rail && onRail()} activeProps={{ 'data-active': !rail || undefined }}>
        <Inbox aria-hidden />
        {texts.shell.phone.inbox}
        {questions > 0 && <span className="badge">{questions}</span>}
      </Link>
    </nav>
  )
}
