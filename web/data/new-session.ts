import { useNavigate } from '@tanstack/react-router'
import { useCallback } from 'react'
import { usePage, useSubmit } from './use-page.ts'

/** Returns a function that creates a session in a project and opens it. Without a project it opens the start page. */
export function useCreateSession(): (project: string | null) => Promise<void> {
  const page = usePage()
  const navigate = useNavigate()
  return useCallback(
    async (project) => {
      if (project === null) return await navigate({ to: '/add' })
      const session = await page.call('sessions.create', { workspace: page.state().workspaceId!, project })
      await navigate({ to: '/s/$session', params: { session: session.id } })
    },
    [page, navigate],
  )
}

/** The same for one project, with its pending state and its error. */
export function useNewSession(project: string) {
  const create = useCreateSession()
  return useSubmit(() => create(project))
}
