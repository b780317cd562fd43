import { Link, useParams } from '@tanstack/react-router'
import { Inbox, ListTree, MessageSquareText } from 'lucide-react'
import { recall } from '../data/memory.ts'
import { texts } from '../texts/texts.ts'

interface Props {
  readonly rail: boolean
  readonly questions: number
  readonly onRail: () => void
}

/** The three views of a phone, within reach of the thumb. */
export function PhoneBar({ rail, questions, onRail }: Props) {
  const { session: here } = useParams({ strict: false })
  const session = here ?? recall('session')
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
          data-active={(here && !rail) || undefined}
          onClick={() => rail && onRail()}
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
      <Link to="/inbox" onClick={() => rail && onRail()} activeProps={{ 'data-active': !rail || undefined }}>
        <Inbox aria-hidden />
        {texts.shell.phone.inbox}
        {questions > 0 && <span className="badge">{questions}</span>}
      </Link>
    </nav>
  )
}
