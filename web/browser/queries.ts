import { KEEP, useAnswer, useRefetch } from '../data/queries.ts'
import { usePageState } from '../data/use-page.ts'

/** The stream announces changes, but a ring of the bell may be lost (L7). ms. */
const LOOK_AGAIN_MS = 60_000

/** The runs with a browser or in the queue for one. Nothing is requested while `enabled` is false. */
export function useBrowsers(enabled = true) {
  const options = { enabled, refetchInterval: LOOK_AGAIN_MS, staleTime: 0, ...KEEP }
  const list = useAnswer(['browsers'], 'browsers.list', {}, options)
  const signal = usePageState((state) => state.browsers)
  useRefetch(list.refetch, signal, enabled)
  return list
}
