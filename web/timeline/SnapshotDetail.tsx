import type { PlanRequest, Snapshot } from '../../src/model/files/history.ts'
import { useChanges } from '../data/files.ts'
import { overlay } from '../data/overlay.ts'
import { showPanel } from '../data/panel.ts'
import { useViewed } from '../diff/viewed.ts'
import { ChangeList } from '../files/ChangeList.tsx'
import { telling } from '../files/groups.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { Problem } from '../ui/Problem.tsx'
import { useKeys } from './use-keys.ts'

interface Props {
  readonly project: string
  readonly session: string
  readonly snapshot: Snapshot
}

/** The changes of one snapshot, with restore and undo. */
export function SnapshotDetail({ project, session, snapshot: { n } }: Props) {
  const scope = { kind: 'since', from: n - 1, to: n } as const
  const { data, error, isPending } = useChanges(project, scope, n)
  const [opened, toggle] = useKeys()
  const viewed = useViewed(session)
  const labels = texts.timeline
  const plan = (request: PlanRequest, title: string): void =>
    overlay.set({ kind: 'plan', project, request, title, session })
  return (
    <div className="snapshot-detail">
      <div className="snapshot-acts">
        <Button label={labels.restore} onClick={() => plan({ kind: 'restore', to: n }, labels.restoreTitle(n))} />
        <Button
          label={labels.undo}
          className="quiet"
          onClick={() => plan({ kind: 'undo', of: { kind: 'snapshot', n } }, labels.undoTitle(n))}
        />
        <Button label={labels.since} className="quiet" onClick={() => showPanel('files', { run: null, since: n })} />
      </div>
      <Problem error={error} />
      {isPending && !error && <p className="panel-note">{texts.files.looking}</p>}
      {data?.changes.length === 0 && <p className="panel-note">{labels.noChanges}</p>}
      {data && (
        <ChangeList
          project={project}
          scope={scope}
          n={n}
          session={session}
          changes={telling(data.changes)}
          order="flat"
          viewed={viewed}
          opened={opened}
          onToggle={toggle}
          onUndo={undefined}
        />
      )}
    </div>
  )
}
