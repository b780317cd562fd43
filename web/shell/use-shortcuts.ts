import { useNavigate } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import { command } from '../data/commands.ts'
import { recall } from '../data/memory.ts'
import { useCreateSession } from '../data/new-session.ts'
import { overlay } from '../data/overlay.ts'
import { attempt } from '../data/toasts.ts'
import { usePage } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { isTyping } from '../ui/keys.ts'

/** Time in which the second key after `g` counts. ms. */
const SECOND_KEY_MS = 1_500

/** The shortcuts of every view. While a person types, only the palette's shortcut is active. */
export function useShortcuts(): void {
  const navigate = useNavigate()
  const page = usePage()
  const create = useCreateSession()
  const act = useRef<Record<string, () => void>>({})
  useEffect(() => {
    act.current = {
      i: () => location.pathname !== '/inbox' && overlay.set({ kind: 'inbox' }),
      'g i': () => void navigate({ to: '/inbox' }),
      'g b': () => void navigate({ to: '/board' }),
      'g h': () => void navigate({ to: '/history' }),
      'g s': () => {
        const session = recall('session')
        void (session ? navigate({ to: '/s/$session', params: { session } }) : navigate({ to: '/' }))
      },
      f: () => command('tab')?.('files'),
      t: () => command('tab')?.('timeline'),
      '/': () => void navigate({ to: '/search' }),
      '?': () => overlay.set({ kind: 'keys' }),
      n: () => void attempt(texts.tree.noNewSession, () => create(projectAtHand(page))),
    }
  })
  useEffect(() => {
    let firstAt = Number.NEGATIVE_INFINITY
    const press = (event: KeyboardEvent): void => {
      if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        return overlay.set(overlay.get()?.kind === 'palette' ? null : { kind: 'palette' })
      }
      if (isTyping(event) || overlay.get()) return
      const second = event.timeStamp - firstAt < SECOND_KEY_MS
      firstAt = event.key === 'g' ? event.timeStamp : Number.NEGATIVE_INFINITY
      const run = act.current[second ? `g ${event.key}` : event.key]
      if (!run) return
      event.preventDefault()
      run()
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [])
}

/** Returns the project of the open or last session, else the oldest one. */
function projectAtHand(page: ReturnType<typeof usePage>): string | null {
  const { workspace, open } = page.state()
  const session = workspace?.sessions[open ?? recall('session') ?? '']
  const projects = Object.values(workspace?.projects ?? {}).filter(({ archivedAt }) => archivedAt === null)
  if (session && projects.some(({ id }) => id === session.project)) return session.project
  return projects.sort((a, b) => a.createdAt - b.createdAt)[0]?.id ?? null
}
