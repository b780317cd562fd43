import { getRouteApi, Link } from '@tanstack/react-router'
import { Search, X } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useWorkspace } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { Empty } from '../ui/Empty.tsx'
import { Problem } from '../ui/Problem.tsx'
import { Hit } from './Hit.tsx'
import { useSearch } from './use-search.ts'

const route = getRouteApi('/search')
const PAGE = 30

/** Full-text search over all sessions. The query is part of the address. */
export function SearchView() {
  const { q = '', session } = route.useSearch()
  const navigate = route.useNavigate()
  const workspace = useWorkspace()
  const [text, setText] = useState(q)
  const field = useRef<HTMLInputElement>(null)
  const found = useSearch(text, session, PAGE)
  useEffect(() => field.current?.focus(), [])
  // Back, forward and the palette change the address.
  useEffect(() => setText((mine) => (mine.trim() === q ? mine : q)), [q])
  const ask = (next: string): void => {
    setText(next)
    const query = next.trim()
    void navigate({ search: { ...(query && { q: query }), ...(session && { session }) }, replace: true })
  }
  return (
    <div className="search">
      <header className="search-head">
        <h1 className="hidden">{texts.search.title}</h1>
        <div className="search-box">
          <Search className="glyph" aria-hidden />
          <input
            ref={field}
            type="search"
            aria-label={texts.search.field}
            placeholder={texts.search.placeholder}
            value={text}
            maxLength={500}
            onChange={(event) => ask(event.target.value)}
            onKeyDown={(event) => event.key === 'Escape' && (text ? ask('') : field.current?.blur())}
          />
        </div>
        {session && (
          <Link to="/search" search={q ? { q } : {}} className="btn search-scope" title={texts.search.everywhere}>
            <span className="cut">{texts.search.onlyIn(workspace.sessions[session]?.name)}</span>
            <X aria-hidden />
          </Link>
        )}
        <p className="faint search-count" role="status">
          {text.trim() && (found.pending ? texts.search.searching : texts.search.found(found.hits.length, found.more))}
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
        <Problem error={found.problem} what={texts.search.failed} />
      </div>
    )
  }
  if (text === '') return <Empty icon={Search} {...texts.search.begin} />
  if (found.hits.length === 0) {
    if (found.pending) return <div className="empty" aria-busy />
    return <Empty {...texts.search.empty} />
  }
  return (
    <div className="search-list scroll" aria-busy={found.pending}>
      <ol aria-label={texts.search.hits}>
        {found.hits.map((hit) => (
          <li key={`${hit.session}.${hit.n}`}>
            <Link to="/s/$session" params={{ session: hit.session }} hash={String(hit.n)} className="search-hit">
              <Hit hit={hit} />
            </Link>
          </li>
        ))}
      </ol>
      {found.more && (
        <Button disabled={found.loadingMore} onClick={found.loadMore}>
          {found.loadingMore ? texts.ui.loading : texts.search.more}
        </Button>
      )}
    </div>
  )
}
