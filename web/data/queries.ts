import { useQuery } from '@tanstack/react-query'
import type { AgentStatus } from '../../src/model/agent.ts'
import { usePage, useWorkspaceId } from './use-page.ts'

/** Queries for data that the stream does not carry: agents, folders, lists of runs. */
export function useAgents() {
  const page = usePage()
  return useQuery({ queryKey: ['agents'], queryFn: () => page.call('agents.list', {}) })
}

export function useFolders(within: string | null) {
  const page = usePage()
  return useQuery({
    queryKey: ['folders', within],
    queryFn: () => page.call('folders.suggest', within === null ? {} : { in: within }),
  })
}

export function useRuns(session: string, changed: string) {
  const page = usePage()
  const workspace = useWorkspaceId()
  return useQuery({
    queryKey: ['runs', workspace, session, changed],
    queryFn: () => page.call('runs.list', { workspace, session, limit: 50 }),
    placeholderData: (before) => before,
  })
}

export function useSpaceDetail(space: string) {
  const page = usePage()
  const workspace = useWorkspaceId()
  return useQuery({
    queryKey: ['space', workspace, space],
    queryFn: () => page.call('spaces.get', { workspace, id: space }),
    refetchOnWindowFocus: true,
  })
}

/** Returns the display name of an agent, or its id while the agents are not loaded. */
export const agentName = (agents: readonly AgentStatus[] | undefined, id: string): string =>
  agents?.find((agent) => agent.id === id)?.name ?? id
