import { useInfiniteQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { asCarrelError } from '../../src/model/errors.ts'
import { usePage, useWorkspaceId } from '../data/use-page.ts'

/** Waits for a pause in typing, so that not every letter is a search. ms. */
const PAUSE_MS = 180

/** The results for a text, page by page. The last results stay while the next ones load. */
export function useSearch(text: string, session: string | undefined, limit: number) {
  const page = usePage()
  const workspace = useWorkspaceId()
  const asked = useSettled(text.trim())
  const search = useInfiniteQuery({
    queryKey: ['search', workspace, session, limit, asked],
    queryFn: ({ pageParam }) =>
      page.call('search.items', {
        workspace,
        text: asked,
        limit,
        ...(session && { session }),
        ...(pageParam && { cursor: pageParam }),
      }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ cursor }) => cursor,
    enabled: asked !== '',
    placeholderData: (before) => before,
    staleTime: 5_000,
  })
  return {
    hits: asked === '' ? [] : (search.data?.pages.flatMap(({ hits }) => hits) ?? []),
    /** The results of the current text have not arrived yet. */
    pending: asked !== text.trim() || (asked !== '' && (search.isPending || search.isPlaceholderData)),
    more: search.hasNextPage,
    loadMore: () => void search.fetchNextPage(),
    loadingMore: search.isFetchingNextPage,
    problem: search.error && asCarrelError(search.error),
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
