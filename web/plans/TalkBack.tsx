import { useNavigate } from '@tanstack/react-router'
import { GitFork } from 'lucide-react'
import { talkAt } from '../../src/client/talk-at.ts'
import { CarrelError } from '../../src/model/errors.ts'
import { usePage, useSubmit, useWorkspaceId } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { Problem } from '../ui/Problem.tsx'

interface Props {
  readonly session: string
  /** The snapshot that the files were restored to. */
  readonly n: number
  readonly onClose: () => void
}

/** Offers a fork of the session at the time of the snapshot. The session itself is not changed. */
export function TalkBack({ session, n, onClose }: Props) {
  const page = usePage()
  const workspace = useWorkspaceId()
  const navigate = useNavigate()
  const labels = texts.plans.talk
  const fork = useSubmit(async () => {
    const seq = await talkAt(page, { workspace, id: session }, n)
    if (seq === null) throw new CarrelError('not_found', labels.notBegun)
    const made = await page.call('sessions.fork', { workspace, id: session, seq })
    onClose()
    await navigate({ to: '/s/$session', params: { session: made.id } })
  })
  return (
    <div className="stack-s">
      <p className="dim">{labels.note}</p>
      <div className="row">
        <Button icon={GitFork} label={labels.act} disabled={fork.pending} onClick={() => fork.run()} />
      </div>
      <Problem error={fork.problem} />
    </div>
  )
}
