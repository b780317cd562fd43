import { useNavigate } from '@tanstack/react-router'
import { useEffect } from 'react'
import { usePage } from '../data/use-page.ts'
import { currentPreferences } from '../shell/preferences.ts'
import { mayNotify, playTone, showNotification } from './browser.ts'
import { newsBetween } from './news.ts'

/** One state of this many news is a page that slept: then the newest few are enough. */
const MOST_AT_ONCE = 3

/** Calls the person for what happens while the page is hidden, in the ways they chose. */
export function useNews(): void {
  const page = usePage()
  const navigate = useNavigate()
  useEffect(() => {
    let before = page.state().workspace
    return page.subscribe(() => {
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
      for (const { tag, session, title, body } of news.slice(-MOST_AT_ONCE))
        showNotification(title, body, tag, () => void navigate({ to: '/s/$session', params: { session } }))
    })
  }, [page, navigate])
}
