import { useQueryClient } from '@tanstack/react-query'
import { Camera } from 'lucide-react'
import { useDeferredValue, useState } from 'react'
import type { Session } from '../../src/model/tree.ts'
import { useHistoryStatus, useSnapshots } from '../data/files.ts'
import { attempt, say } from '../data/toasts.ts'
import { usePage, useWorkspaceId } from '../data/use-page.ts'
import { GapsLine, HistoryNote } from '../files/HistoryNote.tsx'
import { fullDay } from '../texts/format.ts'
import { texts } from '../texts/texts.ts'
import { IconButton } from '../ui/Button.tsx'
import { Choice } from '../ui/Choice.tsx'
import { Empty } from '../ui/Empty.tsx'
import { Problem } from '../ui/Problem.tsx'
import { OlderButton } from './OlderButton.tsx'
import { SnapshotRow } from './SnapshotRow.tsx'
import { useKeys } from './use-keys.ts'
import '../files/files.css'
import './timeline.css'

/** The snapshots of a working copy, of all its sessions, newest first. */
export function TimelinePanel({ row, stamp }: { row: Session; stamp: string }) {
  const [mine, setMine] = useState(false)
  const [path, setPath] = useState('')
  const wanted = useDeferredValue(path.trim())
  const status = useHistoryStatus(row.project, stamp)
  const n = status.data?.n ?? 0
  const filter = { session: mine ? row.id : undefined, path: wanted || undefined }
  const list = useSnapshots(row.project, filter, n)
  const snapshots = list.data?.pages.flatMap((page) => page.snapshots) ?? []
  const [opened, toggle] = useKeys()
  const queries = useQueryClient()
  const again = (): void => void queries.invalidateQueries({ queryKey: ['snapshots'] })
  const labels = texts.timeline
  const none = mine || wanted !== '' ? labels.none : labels.empty
  return (
    <>
      <Filter mine={mine} onMine={setMine} path={path} onPath={setPath} project={row.project} />
      <div className="files-body scroll">
        {status.data && <HistoryNote status={status.data} />}
        <Problem error={list.error} />
        {list.isPending && !list.error && <p className="panel-note">{labels.looking}</p>}
        {list.data && snapshots.length === 0 && <Empty {...none} />}
        {[...Map.groupBy(snapshots, ({ at }) => fullDay(at))].map(([day, own]) => (
          <section key={day} aria-label={day}>
            <h3 className="day">{day}</h3>
            <ol className="snapshots">
              {own.map((snapshot) => (
                <SnapshotRow
                  key={snapshot.n}
                  project={row.project}
                  session={row.id}
                  snapshot={snapshot}
                  open={opened.has(String(snapshot.n))}
                  onToggle={() => toggle(String(snapshot.n))}
                  onChanged={again}
                />
              ))}
            </ol>
          </section>
        ))}
        <OlderButton list={list} />
        {status.data && <GapsLine project={row.project} space={row.space} gaps={status.data.gaps} n={n} />}
      </div>
    </>
  )
}

interface FilterProps {
  readonly project: string
  readonly mine: boolean
  readonly onMine: (mine: boolean) => void
  readonly path: string
  readonly onPath: (path: string) => void
}

function Filter({ project, mine, onMine, path, onPath }: FilterProps) {
  const labels = texts.timeline.filter
  return (
    <search className="files-tools timeline-tools">
      <div className="row">
        <Choice
          label={labels.session}
          value={mine ? 'this' : 'all'}
          options={[
            { value: 'all', label: labels.all },
            { value: 'this', label: labels.this },
          ]}
          onChoose={(value) => onMine(value === 'this')}
        />
        <input
          className="field grow mono"
          aria-label={labels.path}
          placeholder={labels.pathHint}
          value={path}
          spellCheck={false}
          onChange={(event) => onPath(event.target.value)}
        />
        <TakeSnapshot project={project} />
      </div>
    </search>
  )
}

/** Takes a snapshot now, which may find changes that no watcher reported. */
function TakeSnapshot({ project }: { project: string }) {
  const page = usePage()
  const workspace = useWorkspaceId()
  const queries = useQueryClient()
  const [busy, setBusy] = useState(false)
  const labels = texts.timeline
  const take = async (): Promise<void> => {
    setBusy(true)
    await attempt(labels.notCaptured, async () => {
      const { changed } = await page.call('history.capture', { workspace, project })
      say(labels.captured(changed))
      await queries.invalidateQueries({ queryKey: ['history'] })
    })
    setBusy(false)
  }
  const label = busy ? labels.capturing : labels.capture
  return <IconButton icon={Camera} label={label} disabled={busy} onClick={() => void take()} />
}
