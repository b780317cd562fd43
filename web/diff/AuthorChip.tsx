import { Link } from '@tanstack/react-router'
import { Bot, CircleHelp, RotateCcw, UserRound } from 'lucide-react'
import type { Author } from '../../src/model/files/history.ts'
import { usePageState } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'

const MARKS = { run: Bot, outside: UserRound, act: RotateCcw, unknown: CircleHelp }

/** The author of a change: a link to a session, or a person. */
export function AuthorChip({ author, note }: { author: Author; note?: string }) {
  const session = usePageState((state) =>
    author.kind === 'run' ? state.workspace?.sessions[author.session]?.name : undefined,
  )
  const Mark = MARKS[author.kind]
  const content = (
    <>
      <Mark className="glyph" aria-hidden />
      <span className="cut">{authorName(author, session)}</span>
    </>
  )
  if (author.kind === 'run') {
    return (
      <Link
        to="/s/$session"
        params={{ session: author.session }}
        className="author"
        title={[texts.files.author.run, note].filter(Boolean).join('. ')}
      >
        {content}
      </Link>
    )
  }
  return (
    <span className="author" title={note ?? (author.kind === 'outside' ? texts.files.author.outsideNote : undefined)}>
      {content}
    </span>
  )
}

export function authorName(author: Author, session: string | undefined): string {
  const labels = texts.files.author
  switch (author.kind) {
    case 'run':
      return session === undefined ? labels.elsewhere : labels.session(session)
    case 'act':
      return labels.act(author.by.name)
    case 'unknown':
      return labels.unknown(author.among.length)
    case 'outside':
      return labels.outside
  }
}
