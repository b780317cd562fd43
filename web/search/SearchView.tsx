import { getRouteApi, Link } from '@tanstack/react-router'
import { Search, X } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useWorkspace } from '../data/use-page.ts'
import { count } from '../ui/format.ts'
import { Problem } from '../ui/Problem.tsx'
import { Hit } from './Hit.tsx'
import { useSearch } from './use-search.ts'

const route = getRouteApi('/search')
const PAGE = 30

/** What was said and done in all sessions, by its words. The address carries what is looked for. */
export function SearchView() {
  const { q = '', session } = route.useSearch()
  const navigate = route.useNavigate()
  const workspace = useWorkspace()
  const [text, setText] = useState(q)
  const field = useRef<HTMLInputElement>(null)
  const found = useSearch(text, session, PAGE)
  useEffect(() => field.current?.focus(), [])
  // Back and forward, and the palette, change the address.
  useEffect(() => setText((mine) => (mine.trim() === q ? mine : q)), [q])
  const ask = (next: string): void => {
    setText(next)
    const words = next.trim()
    void navigate({ search: { ...(words && { q: words }), ...(session && { session }) }, replace: true })
  }
  return (
    <div className="search">
      <header className="search-head">
        <h1 className="hidden">Search</h1>
        <div className="search-box">
          <Search className="glyph" aria-hidden />
          <input
            ref={field}
            type="search"
            aria-label="Search what was said and done"
            placeholder="Search what was said and done ..."
            value={text}
            maxLength={500}
            onChange={(event) => ask(event.target.value)}
            onKeyDown={(event) => event.key === 'Escape' && (text ? ask('') : field.current?.blur())}
          />
        </div>
        {session && (
          <Link to="/search" search={q ? { q } : {}} className="btn search-scope" title="Search in all sessions">
            <span className="cut">only in {workspace.sessions[session]?.name ?? 'one session'}</span>
            <X aria-hidden />
          </Link>
        )}
        <p className="faint search-count" role="status">
          {text.trim() &&
            (found.pending ? 'Searching ...' : `${found.more ? 'More than ' : ''}${count(found.hits.length, 'hit')}`)}
        </p>
      </header>
      <Found text={text.trim()} found={found} />
    </div>
  )
}

function Found({ text, found }: { text: string; found: ReturnType<typeof useSearch> }) {
  if (found.problem) {
    return (
      <div className="search-problem">
        <Problem error={found.problem} what="The search failed." />
      </div>
    )
  }
  if (text === '') {
    return (
      <div className="empty">
        <Search className="empty-mark" aria-hidden />
        <h2>Find what was said</h2>
        <p>
          Messages, thoughts, commands and their output, plans and questions of all sessions. All words have to be
          there; “in quotes” they stand one after the other.
        </p>
      </div>
    )
  }
  if (found.hits.length === 0) {
    if (found.pending) return <div className="empty" aria-busy />
    return (
      <div className="empty">
        <h2>Nothing has these words</h2>
        <p>Try fewer of them. What a run did within the last second may not be found yet.</p>
      </div>
    )
  }
  return (
    <div className="search-list scroll" aria-busy={found.pending}>
      <ol aria-label="Hits">
        {found.hits.map((hit) => (
          <li key={`${hit.session}.${hit.n}`}>
            <Link to="/s/$session" params={{ session: hit.session }} hash={String(hit.n)} className="search-hit">
              <Hit hit={hit} />
            </Link>
          </li>
        ))}
      </ol>
      {found.more && (
        <button type="button" className="btn" disabled={found.loadingMore} onClick={found.loadMore}>
          {found.loadingMore ? 'Loading ...' : 'More'}
        </button>
      )}
    </div>
  )
}
