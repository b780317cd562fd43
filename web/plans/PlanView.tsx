import type { PlanRequest } from '../../src/model/files/history.ts'
import { DiffTools } from '../diff/DiffTools.tsx'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { Problem } from '../ui/Problem.tsx'
import { PlanDone } from './PlanDone.tsx'
import { PlanGroups } from './PlanGroups.tsx'
import { StaleNote } from './StaleNote.tsx'
import { type Planning, usePlanning } from './use-planning.ts'
import '../ui/dialogs.css'
import './plans.css'

interface Props {
  readonly project: string
  readonly request: PlanRequest
  /** The session whose conversation may be forked at the same point. */
  readonly session?: string | undefined
  readonly onClose: () => void
}

export function PlanDialog({ title, ...plan }: Props & { readonly title: string }) {
  return (
    <Dialog title={title} onClose={plan.onClose} className="wide plan-dialog">
      <PlanView {...plan} />
    </Dialog>
  )
}

/** The plan of a restore, undo or apply. The button applies exactly this plan, or nothing. */
export function PlanView({ project, request, session, onClose }: Props) {
  const planning = usePlanning(project, request)
  if (planning.act) return <PlanDone act={planning.act} project={project} session={session} onClose={onClose} />
  const { plan, problem, pending } = planning
  const labels = texts.plans
  return (
    <>
      {pending && !problem && <p className="dim">{labels.looking}</p>}
      <Problem error={problem} />
      {planning.stale && <StaleNote difference={planning.stale} />}
      {plan?.entries.length === 0 && <p>{labels.nothing[request.kind]}</p>}
      <Sum planning={planning} />
      {plan && plan.entries.length + plan.gaps.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box must be reachable by keyboard
        <div className="plan-body scroll" tabIndex={0}>
          <PlanGroups project={project} request={request} planning={planning} />
        </div>
      )}
      <PlanActs planning={planning} kind={request.kind} onClose={onClose} />
    </>
  )
}

function Sum({ planning: { plan, groups } }: { planning: Planning }) {
  if (!plan || !groups || plan.entries.length === 0) return null
  return (
    <div className="row">
      <p className="grow dim">{texts.plans.sum(groups.writes.length, groups.merges.length, groups.asks.length)}</p>
      <DiffTools />
    </div>
  )
}

function PlanActs({ planning, kind, onClose }: { planning: Planning; kind: PlanRequest['kind']; onClose: () => void }) {
  const { plan, verdict, carry, again, settling } = planning
  const labels = texts.plans
  const busy = carry.problem?.code === 'busy'
  const ready = verdict !== null && verdict.open === 0 && !settling
  const has = plan !== undefined && plan.entries.length > 0
  return (
    <>
      {busy && <Problem error={carry.problem} what={labels.busy} />}
      {carry.problem && !busy && carry.problem.code !== 'stale_plan' && (
        <Problem error={carry.problem} what={labels.notWritten} />
      )}
      <div className="actions plan-acts">
        {verdict && verdict.open > 0 && <p className="grow plan-open">{labels.left(verdict.open)}</p>}
        {(busy || planning.problem !== null) && <Button label={labels.busyAgain} onClick={again} />}
        <Button label={has ? texts.ui.cancel : texts.ui.close} onClick={onClose} />
        {has && (
          <Button
            label={carry.pending ? labels.acting[kind] : labels.actCount(labels.act[kind], verdict?.writes ?? 0)}
            className="primary"
            disabled={!ready || carry.pending || (verdict.writes === 0 && verdict.leave.length === 0)}
            onClick={() => carry.run()}
          />
        )}
      </div>
    </>
  )
}
