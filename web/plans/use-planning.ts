import { useEffect, useMemo, useRef, useState } from 'react'
import type { Act, Plan, PlanRequest } from '../../src/model/history.ts'
import { usePlan } from '../data/files.ts'
import { type Submit, usePage, useSubmit, useWorkspaceId } from '../data/use-page.ts'
import {
  type Difference,
  differenceOf,
  type Groups,
  groupsOf,
  NOTHING_SAID,
  narrowed,
  type Selection,
  stillSaid,
  type Verdict,
  verdictOf,
} from './selection.ts'

export interface Planning {
  /** All that could be written; what is ticked of it is in the selection. */
  readonly plan: Plan | undefined
  readonly groups: Groups | null
  readonly pending: boolean
  readonly problem: Error | null
  readonly selection: Selection
  readonly select: (change: Partial<Selection>) => void
  /** For the plan of what is ticked; null until it is here. */
  readonly verdict: Verdict | null
  /** The plan of what is ticked is being made. */
  readonly settling: boolean
  readonly carry: Submit<[]>
  /** What was carried out. */
  readonly act: Act | null
  /** What became different since one looked, after the server refused for that. */
  readonly stale: Difference | null
  readonly again: () => void
}

/**
 * A plan on its way: looked at, spoken about, carried out. The server makes each plan and its digest; the page only
 * says which of the paths it wants and what is to become of the conflicts ones.
 */
export function usePlanning(project: string, request: PlanRequest): Planning {
  const page = usePage()
  const workspace = useWorkspaceId()
  const [selection, setSelection] = useState(NOTHING_SAID)
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
    const said = { request: wanted, digest: chosen.digest, overwrite: [...overwrite], leave: [...leave] }
    setAct(await page.call('plans.apply', { workspace, project, ...said }))
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
    if (stale) setSelection((before) => stillSaid(before, stale))
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
