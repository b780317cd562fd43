import { useEffect, useState } from 'react'
import { useWorkspaceId } from '../data/use-page.ts'
import { followLive, type Live, NO_LIVE } from './live.ts'

/** The live view of a run's browser, paused while the page is in the background. */
export function useLive(run: string): Live {
  const workspace = useWorkspaceId()
  const [live, setLive] = useState<Live>(NO_LIVE)
  const seen = useSeen()
  useEffect(() => {
    if (seen) return followLive(workspace, run, setLive)
    setLive((before) => ({ ...before, open: false, cutAt: before.cutAt ?? Date.now() }))
    return undefined
  }, [workspace, run, seen])
  return live
}

function useSeen(): boolean {
  const [seen, setSeen] = useState(!document.hidden)
  useEffect(() => {
    const look = () => setSeen(!document.hidden)
    document.addEventListener('visibilitychange', look)
    return () => document.removeEventListener('visibilitychange', look)
  }, [])
  return seen
}
