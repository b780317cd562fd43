import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import type { PlanRequest } from '../../src/model/files/history.ts'
import { usePage, usePageState, useWorkspaceId } from './use-page.ts'

/** The changes of a working copy that are shown. */
export type Scope =
  | { readonly kind: 'session'; readonly session: string }
  | { readonly kind: 'run'; readonly run: string }
  /** From snapshot `from` to snapshot `to`, or to now. */
  | { readonly kind: 'since'; readonly from: number; readonly to?: number }

const narrowed = (scope: Scope) => {
  if (scope.kind === 'session') return { session: scope.session }
  if (scope.kind === 'run') return { run: scope.run }
  return { from: scope.from, ...(scope.to !== undefined && { to: scope.to }) }
}

/** The stream announces changed files, but a ring of the bell may be lost (L7) and a watcher may miss changes. ms. */
const LOOK_AGAIN_MS = 60_000

/** The status of a project's history. `n` grows with every snapshot: queries that depend on it run again. */
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

/** The diff of one path in a scope, as hunks. `n` as in the status: it is part of the query key. */
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

export interface SnapshotScope {
  readonly session?: string | undefined
  readonly path?: string | undefined
}

/** The snapshots of a project. All loaded pages load again when `n` grows, so that the reader's position stays. */
export function useSnapshots(project: string, { session, path }: SnapshotScope, n: number) {
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

/** File changes of the whole workspace. */
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

/** The plan of a request. A plan belongs to the moment of its making: it is made again only on request. */
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
