import type { PlanRequest } from '../../src/model/files/history.ts'
import { Dialog } from '../ui/Dialog.tsx'
import { PlanView } from './PlanView.tsx'

interface Props {
  readonly project: string
  readonly request: PlanRequest
  readonly title: string
  readonly session?: string | undefined
  readonly onClose: () => void
}

export function PlanDialog({ title, ...plan }: Props) {
  return (
    <Dialog title={title} open onClose={plan.onClose} className="wide plan-dialog">
      <PlanView {...plan} />
    </Dialog>
  )
}
