import type { PlanEntry, PlanRequest } from '../../src/model/files/history.ts'
import { usePlanDiff } from '../data/files.ts'
import { DiffView } from '../diff/DiffView.tsx'
import { texts } from '../texts/texts.ts'
import { Problem } from '../ui/Problem.tsx'
import type { Planning } from './use-planning.ts'

interface Props {
  readonly project: string
  readonly request: PlanRequest
  readonly entry: PlanEntry
  readonly planning: Planning
}

/** The change of one path in a plan. Each of several hunks can be excluded. */
export function PlanDiff({ project, request, entry: { path, conflicts }, planning }: Props) {
  const { data, error, isPending } = usePlanDiff(project, request, path)
  const { selection, select } = planning
  if (error) return <Problem error={error} />
  if (isPending) return <p className="diff-note">{texts.files.diff.loading}</p>
  const all = data.hunks.map((_, index) => index)
  const taken = selection.hunks[path] ?? all
  const change = (index: number, wanted: boolean): void => {
    const next = all.filter((each) => (each === index ? wanted : taken.includes(each)))
    const { [path]: _, ...others } = selection.hunks
    select({ hunks: next.length === all.length ? others : { ...others, [path]: next } })
  }
  const acts = (index: number) => (
    <label className="plan-part">
      <input type="checkbox" checked={taken.includes(index)} onChange={({ target }) => change(index, target.checked)} />
      {texts.plans.hunk}
    </label>
  )
  const parted = conflicts.length === 0 && all.length > 1 && !selection.without.has(path)
  return (
    <div className="plan-diff">
      <DiffView diff={data} session={null} hunkActs={parted ? acts : undefined} />
    </div>
  )
}
