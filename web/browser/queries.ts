import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { usePage, usePageState, useWorkspaceId } from '../data/use-page.ts'

/** The stream announces changes, but a ring of the bell may be lost (L7). ms. */
const LOOK_AGAIN_MS = 60_000

/** The runs with a browser or in the queue for one. Nothing is requested while `enabled` is false. */
export function useBrowsers(enabled = true) {
  const page = usePage()
  const workspace = useWorkspaceId()
  const rung = usePageState((state) => state.browsers)
  const list = useQuery({
    queryKey: ['browsers', workspace],
    queryFn: () => page.call('browsers.list', { workspace }),
    enabled,
    refetchInterval: LOOK_AGAIN_MS,
    placeholderData: (before) => before,
    staleTime: 0,
  })
  const { refetch } = list
  const asked = useRef(rung)
  useEffect(() => {
    if (enabled && asked.current !== rung) void refetch()
    asked.current = rung
  }, [enabled, rung, refetch])
  return list
}
