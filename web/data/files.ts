import { useEffect, useRef } from 'react'
import type { PlanRequest } from '../../src/model/files/history.ts'
import { KEEP, useAnswer, usePages, useRefetch } from './queries.ts'
import { usePageState } from './use-page.ts'

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
  const options = { refetchInterval: LOOK_AGAIN_MS, staleTime: 0, ...KEEP }
  const status = useAnswer(['history', project, stamp], 'history.status', { project }, options)
  const signal = usePageState((state) => state.files)
  useRefetch(status.refetch, signal)
  return status
}

export const useChanges = (project: string, scope: Scope, n: number) =>
  useAnswer(
    ['changes', project, scope, n],
    'history.changes',
    { project, ...narrowed(scope) },
    {
      placeholderData: (before, query) =>
        JSON.stringify(query?.queryKey[3]) === JSON.stringify(scope) ? before : undefined,
    },
  )

/** The diff of one path in a scope, as hunks. `n` as in the status: it is part of the query key. */
export const useFileDiff = (project: string, scope: Scope, path: string, n: number) =>
  useAnswer(
    ['diff', project, scope, path, n],
    'history.diff',
    { project, path, ...narrowed(scope) },
    {
      placeholderData: (before, query) =>
        JSON.stringify(query?.queryKey.slice(3, 5)) === JSON.stringify([scope, path]) ? before : undefined,
    },
  )

export const useGaps = (project: string, n: number) =>
  useAnswer(['gaps', project, n], 'history.gaps', { project, limit: 500 })

export interface SnapshotScope {
  readonly session?: string | undefined
  readonly path?: string | undefined
}

/** The snapshots of a project. All loaded pages load again when `n` grows, so that the reader's position stays. */
export function useSnapshots(project: string, { session, path }: SnapshotScope, n: number) {
  const list = usePages(['snapshots', project, session, path], 'history.snapshots', {
    project,
    limit: 50,
    session,
    path,
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
export const useEverywhere = ({ space, author, path }: EverywhereFilter) =>
  usePages(['everywhere', space, author, path], 'changes.list', { limit: 100, space, author, path }, { staleTime: 0 })

/** The plan of a request. A plan belongs to the moment of its making: it is made again only on request. */
export function usePlan(project: string, request: PlanRequest, enabled = true) {
  const options = { enabled, retry: false, staleTime: Number.POSITIVE_INFINITY, gcTime: 0, ...KEEP }
  return useAnswer(['plan', project, request], 'plans.make', { project, request }, options)
}

export const usePlanDiff = (project: string, request: PlanRequest, path: string) =>
  useAnswer(['plan-diff', project, request, path], 'plans.diff', { project, request, path }, { gcTime: 0 })
