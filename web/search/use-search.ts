import { useEffect, useState } from 'react'
import { usePages } from '../data/queries.ts'

/** Waits for a pause in typing, so that not every letter is a search. ms. */
const PAUSE_MS = 180

/** The results for a text, page by page. The last results stay while the next ones load. */
export function useSearch(text: string, session: string | undefined, limit: number) {
  const asked = useSettled(text.trim())
  const search = usePages(
    ['search', session, limit, asked],
    'search.items',
    { text: asked, limit, session: session || undefined },
    { enabled: asked !== '', staleTime: 5_000 },
  )
  return {
    hits: asked === '' ? [] : (search.data?.pages.flatMap(({ hits }) => hits) ?? []),
    /** The results of the current text have not arrived yet. */
    pending: asked !== text.trim() || (asked !== '' && (search.isPending || search.isPlaceholderData)),
    more: search.hasNextPage,
    loadMore: () => void search.fetchNextPage(),
    loadingMore: search.isFetchingNextPage,
    problem: search.error,
  }
}

function useSettled(text: string): string {
  const [settled, setSettled] = useState(text)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), PAUSE_MS)
    return () => clearTimeout(timer)
  }, [text])
  return settled
}
