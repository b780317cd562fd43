import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import type { PlanRequest } from '../../src/model/history.ts'
import { usePage, usePageState, useWorkspaceId } from './use-page.ts'

/** Which changes of a place are looked at. */
export type Scope =
  | { readonly kind: 'session'; readonly session: string }
  | { readonly kind: 'run'; readonly run: string }
  /** From snapshot `from` to `to`, or to now. */
  | { readonly kind: 'since'; readonly from: number; readonly to?: number }

const narrowed = (scope: Scope) => {
  if (scope.kind === 'session') return { session: scope.session }
  if (scope.kind === 'run') return { run: scope.run }
  return { from: scope.from, ...(scope.to !== undefined && { to: scope.to }) }
}

/** The stream says when files may have changed; a ring of the bell may be lost (L7), and the watcher of a folder blind. ms. */
const LOOK_AGAIN_MS = 60_000

/** How far the history of a project's place is. `n` grows with every snapshot: what hangs on it is asked again. */
export function useHistoryStatus(project: string, stamp = '') {
  const page = usePage()
  const workspace = useWorkspaceId()
  const files = usePageState((state) => state.files)
  const status = useQuery({
    queryKey: ['history', workspace, project, stamp],
    queryFn: () => page.call('history.status', { workspace, project }),
    refetchInterval: LOOK_AGAIN_MS,
    placeholderData: (before) => before,
    staleTime: 0,
  })
  const { refetch } = status
  const asked = useRef(files)
  useEffect(() => {
    if (asked.current !== files) void refetch()
    asked.current = files
  }, [files, refetch])
  return status
}

export function useChanges(project: string, scope: Scope, n: number) {
  const page = usePage()
  const workspace = useWorkspaceId()
  return useQuery({
    queryKey: ['changes', workspace, project, scope, n],
    queryFn: () => page.call('history.changes', { workspace, project, ...narrowed(scope) }),
    placeholderData: (before, query) =>
      JSON.stringify(query?.queryKey[3]) === JSON.stringify(scope) ? before : undefined,
  })
}

/** One path in a scope, as hunks. `n` as in the status: another one is another answer. */
export function useFileDiff(project: string, scope: Scope, path: string, n: number) {
  const page = usePage()
  const workspace = useWorkspaceId()
  return useQuery({
    queryKey: ['diff', workspace, project, scope, path, n],
    queryFn: () => page.call('history.diff', { workspace, project, path, ...narrowed(scope) }),
    placeholderData: (before, query) =>
      JSON.stringify(query?.queryKey.slice(3, 5)) === JSON.stringify([scope, path]) ? before : undefined,
  })
}

export function useGaps(project: string, n: number) {
  const page = usePage()
  const workspace = useWorkspaceId()
  return useQuery({
    queryKey: ['gaps', workspace, project, n],
    queryFn: () => page.call('history.gaps', { workspace, project, limit: 500 }),
  })
}

export interface SnapshotFilter {
  readonly session?: string | undefined
  readonly path?: string | undefined
}

/** All pages that were loaded are asked again when `n` grows, so that what somebody scrolled to stays there. */
export function useSnapshots(project: string, { session, path }: SnapshotFilter, n: number) {
  const page = usePage()
  const workspace = useWorkspaceId()
  const list = useInfiniteQuery({
    queryKey: ['snapshots', workspace, project, session, path],
    queryFn: ({ pageParam }) =>
      page.call('history.snapshots', {
        workspace,
        project,
        limit: 50,
        ...(session !== undefined && { session }),
        ...(path !== undefined && { path }),
        ...(pageParam !== null && { cursor: pageParam }),
      }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ cursor }) => cursor,
    placeholderData: (before) => before,
  })
  const { refetch } = list
  const asked = useRef(n)
  useEffect(() => {
    if (asked.current !== n && asked.current > 0) void refetch()
    asked.current = n
  }, [n, refetch])
  return list
}

export interface EverywhereFilter {
  readonly space?: string | undefined
  readonly author?: 'run' | 'outside' | 'act' | 'unknown' | undefined
  readonly path?: string | undefined
}

/** Who touched what in the whole workspace. */
export function useEverywhere({ space, author, path }: EverywhereFilter) {
  const page = usePage()
  const workspace = useWorkspaceId()
  return useInfiniteQuery({
    queryKey: ['everywhere', workspace, space, author, path],
    queryFn: ({ pageParam }) =>
      page.call('changes.list', {
        workspace,
        limit: 100,
        ...(space !== undefined && { space }),
        ...(author !== undefined && { author }),
        ...(path !== undefined && { path }),
        ...(pageParam !== null && { cursor: pageParam }),
      }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ cursor }) => cursor,
    placeholderData: (before) => before,
    staleTime: 0,
  })
}

/** A plan is as of the moment it was made: it is made again only when asked. */
export function usePlan(project: string, request: PlanRequest, enabled = true) {
  const page = usePage()
  const workspace = useWorkspaceId()
  return useQuery({
    queryKey: ['plan', workspace, project, request],
    queryFn: () => page.call('plans.make', { workspace, project, request }),
    enabled,
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    placeholderData: (before) => before,
  })
}

export function usePlanDiff(project: string, request: PlanRequest, path: string) {
  const page = usePage()
  const workspace = useWorkspaceId()
  return useQuery({
    queryKey: ['plan-diff', workspace, project, request, path],
    queryFn: () => page.call('plans.diff', { workspace, project, request, path }),
    gcTime: 0,
  })
}
