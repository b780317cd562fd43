import { useNavigate } from '@tanstack/react-router'
import { useEffect } from 'react'
import { currentPreferences } from '../data/preferences.ts'
import { usePage } from '../data/use-page.ts'
import { mayNotify, playTone } from './browser.ts'
import { newsBetween } from './news.ts'
import { onNotificationClick, showNotification } from './notification.ts'

/** More news in one state means that the page slept. Then the newest few are enough. */
const MOST_AT_ONCE = 3

/** Notifies the person of events while the page is hidden, in the ways they chose. */
export function useNews(): void {
  const page = usePage()
  const navigate = useNavigate()
  useEffect(() => {
    const open = (session: string) => void navigate({ to: '/s/$session', params: { session } })
    const stopClicks = onNotificationClick(open)
    let before = page.state().workspace
    const stopNews = page.subscribe(() => {
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
      // A permission that was revoked a moment ago is not an error of the page.
      for (const each of news.slice(-MOST_AT_ONCE)) showNotification(each, open).catch(() => undefined)
    })
    return () => {
      stopClicks()
      stopNews()
    }
  }, [page, navigate])
}
