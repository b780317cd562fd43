import { useEffect, useMemo, useRef, useState } from 'react'
import type { Act, Plan, PlanRequest } from '../../src/model/files/history.ts'
import { usePlan } from '../data/files.ts'
import { type Submit, usePage, useSubmit, useWorkspaceId } from '../data/use-page.ts'
import {
  type Difference,
  differenceOf,
  type Groups,
  groupsOf,
  NO_SELECTION,
  narrowed,
  type Selection,
  stillDecided,
  type Verdict,
  verdictOf,
} from './selection.ts'

export interface Planning {
  /** The whole plan. The selection says which part of it is selected. */
  readonly plan: Plan | undefined
  readonly groups: Groups | null
  readonly pending: boolean
  readonly problem: Error | null
  readonly selection: Selection
  readonly select: (change: Partial<Selection>) => void
  /** The verdict on the selected part; null until its plan has loaded. */
  readonly verdict: Verdict | null
  readonly settling: boolean
  readonly carry: Submit<[]>
  readonly act: Act | null
  /** The difference to the plan on the screen, after the server refused a stale plan. */
  readonly stale: Difference | null
  readonly again: () => void
}

/**
 * A plan from its request to its application. The server makes each plan and its digest. The page sends the selected
 * paths and the decisions on conflicts.
 */
export function usePlanning(project: string, request: PlanRequest): Planning {
  const page = usePage()
  const workspace = useWorkspaceId()
  const [selection, setSelection] = useState(NO_SELECTION)
  const [act, setAct] = useState<Act | null>(null)
  const [refused, setRefused] = useState<Plan | null>(null)
  const whole = usePlan(project, request)
  const wanted = useMemo(
    () => (whole.data ? narrowed(request, whole.data, selection) : request),
    [whole.data, request, selection],
  )
  const part = usePlan(project, wanted, whole.data !== undefined && wanted !== request)
  const chosen = wanted === request ? whole.data : part.data
  const settling = wanted !== request && (part.isFetching || part.isPlaceholderData)
  const verdict = chosen && !whole.isFetching ? verdictOf(chosen, selection) : null
  const again = (): void => {
    carry.clear()
    void whole.refetch()
    if (wanted !== request) void part.refetch()
  }
  const carry = useSubmit(async () => {
    if (!chosen || !verdict) return
    const { overwrite, leave } = verdict
    const input = { request: wanted, digest: chosen.digest, overwrite: [...overwrite], leave: [...leave] }
    setAct(await page.call('plans.apply', { workspace, project, ...input }))
  })
  const code = carry.problem?.code
  const latest = useRef({ again, plan: whole.data })
  latest.current = { again, plan: whole.data }
  useEffect(() => {
    if (code !== 'stale_plan' && code !== 'conflict') return
    setRefused(latest.current.plan ?? null)
    latest.current.again()
  }, [code])
  const stale = useMemo(
    () => (refused && whole.data && !whole.isFetching ? differenceOf(refused, whole.data) : null),
    [refused, whole.data, whole.isFetching],
  )
  useEffect(() => {
    if (stale) setSelection((before) => stillDecided(before, stale))
  }, [stale])
  return {
    plan: whole.data,
    groups: useMemo(() => (whole.data ? groupsOf(whole.data) : null), [whole.data]),
    pending: whole.isPending,
    problem: whole.error ?? part.error,
    selection,
    select: (change) => setSelection((before) => ({ ...before, ...change })),
    verdict,
    settling,
    carry,
    act,
    stale,
    again,
  }
}
