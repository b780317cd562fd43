import { keepPreviousData, type UseQueryOptions, useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import type { Input, OperationName, Output } from '../../src/api/index.ts'
import type { AgentStatus } from '../../src/model/agent.ts'
import type { Space } from '../../src/model/tree.ts'
import { usePage, usePageState, useWorkspaceId } from './use-page.ts'

type Key = readonly [string, ...unknown[]]
type PagedName = 'changes.list' | 'history.snapshots' | 'search.items' | 'sessions.list'
type PagedInput<N extends PagedName> = { readonly [Name in keyof Input<N>]?: Input<N>[Name] | undefined }

/** An option of queries: the last data stays while the next ones load. */
export const KEEP = { placeholderData: keepPreviousData } as const

/** The answer of an operation as a query. The workspace is added to the key and to the input. */
export function useAnswer<N extends OperationName>(
  [kind, ...key]: Key,
  name: N,
  input: Omit<Input<N>, 'workspace'>,
  options: Omit<UseQueryOptions<Output<N>>, 'queryKey' | 'queryFn'> = {},
) {
  const page = usePage()
  const workspace = useWorkspaceId()
  return useQuery({
    queryKey: [kind, workspace, ...key],
    queryFn: () => page.call(name, { workspace, ...input } as Input<N>),
    ...options,
  })
}

/** The pages of an operation as a query, in the same way. Undefined fields are left out of the input. */
export function usePages<N extends PagedName>(
  [kind, ...key]: Key,
  name: N,
  input: PagedInput<N>,
  options: { readonly enabled?: boolean; readonly staleTime?: number } = {},
) {
  const page = usePage()
  const workspace = useWorkspaceId()
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined))
  return useInfiniteQuery({
    queryKey: [kind, workspace, ...key],
    queryFn: ({ pageParam }) =>
      page.call(name, { workspace, ...given, ...(pageParam !== null && { cursor: pageParam }) } as Input<N>),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => (last as { cursor: string | null }).cursor,
    ...KEEP,
    ...options,
  })
}

/** Requests again when `signal` changes while `wanted`. */
export function useRefetch(refetch: () => unknown, signal: number, wanted = true): void {
  const known = useRef(signal)
  useEffect(() => {
    if (wanted && known.current !== signal) void refetch()
    known.current = signal
  }, [wanted, signal, refetch])
}

/** The first part of the key of queries about the server. */
export const SERVER = 'server'
/** How often a paused data folder is looked at: the terminal may let it go on as well. ms. */
const PAUSED_AGAIN_MS = 5_000

/** Returns the pause of the data folder, asked for at each connection; null for none, and while it is not known. */
export function usePaused() {
  const page = usePage()
  const { state, since } = usePageState((page) => page.connection)
  const { data } = useQuery({
    queryKey: [SERVER, state === 'open' ? since : null],
    queryFn: () => page.call('server.status', {}),
    enabled: state === 'open',
    staleTime: Number.POSITIVE_INFINITY,
    refetchInterval: ({ state: { data } }) => (data?.paused ? PAUSED_AGAIN_MS : false),
    ...KEEP,
  })
  return data?.paused ?? null
}

/** Queries for data that the stream does not carry: agents, folders, lists of runs. */
export function useAgents() {
  const page = usePage()
  return useQuery({ queryKey: ['agents'], queryFn: () => page.call('agents.list', {}) })
}

/** How often the machines are looked up while there are several. ms. */
const MACHINES_MS = 15_000

/** The machine of a Space that another server has; null where the server of this page has it. */
export function useMachineElsewhere({ machine }: Pick<Space, 'machine'>) {
  const page = usePage()
  const { data } = useQuery({
    queryKey: ['machines'],
    queryFn: () => page.call('machines.list', {}),
    refetchInterval: ({ state }) => (state.data && state.data.machines.length > 1 ? MACHINES_MS : false),
  })
  const found = data?.machines.find(({ id }) => id === machine)
  if (!data || found?.here) return null
  return { name: found?.name ?? null, away: found?.away ?? null }
}

export function useFolders(within: string | null) {
  const page = usePage()
  return useQuery({
    queryKey: ['folders', within],
    queryFn: () => page.call('folders.suggest', within === null ? {} : { in: within }),
  })
}

export const useRuns = (session: string, changed: string) =>
  useAnswer(['runs', session, changed], 'runs.list', { session, limit: 50 }, KEEP)

export const useSpaceDetail = (space: string) =>
  useAnswer(['space', space], 'spaces.get', { id: space }, { refetchOnWindowFocus: true })

/** Returns the display name of an agent, or its id while the agents are not loaded. */
export const agentName = (agents: readonly AgentStatus[] | undefined, id: string): string =>
  agents?.find((agent) => agent.id === id)?.name ?? id
