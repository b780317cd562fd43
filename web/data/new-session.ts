import { useNavigate } from '@tanstack/react-router'
import { useCallback } from 'react'
import { usePage } from './use-page.ts'

/** Opens a session in a project and goes there; without a project, to where one is made. */
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
