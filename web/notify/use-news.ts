import { useNavigate } from '@tanstack/react-router'
import { useEffect } from 'react'
import { usePage } from '../data/use-page.ts'
import { currentPreferences } from '../shell/preferences.ts'
import { mayNotify, playTone } from './browser.ts'
import { hearPresses, showCall } from './call.ts'
import { newsBetween } from './news.ts'

/** One state of this many news is a page that slept: then the newest few are enough. */
const MOST_AT_ONCE = 3

/** Calls the person for what happens while the page is hidden, in the ways they chose. */
export function useNews(): void {
  const page = usePage()
  const navigate = useNavigate()
  useEffect(() => {
    const open = (session: string) => void navigate({ to: '/s/$session', params: { session } })
    const deaf = hearPresses(open)
    let before = page.state().workspace
    const silent = page.subscribe(() => {
      const { workspace } = page.state()
      if (workspace === before) return
      const [was, is] = [before, workspace]
      before = workspace
      const { notify, sound } = currentPreferences()
      if (!was || !is || was.workspace?.id !== is.workspace?.id || !document.hidden || !(notify || sound)) return
      const news = newsBetween(was, is)
      if (news.length === 0) return
      if (sound) playTone()
      if (!notify || mayNotify() !== 'granted') return
      // A permission that was taken back a moment ago is no problem of the page.
      for (const each of news.slice(-MOST_AT_ONCE)) showCall(each, open).catch(() => undefined)
    })
    return () => {
      deaf()
      silent()
    }
  }, [page, navigate])
}
