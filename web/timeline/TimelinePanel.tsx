import { useQueryClient } from '@tanstack/react-query'
import { ScanEye } from 'lucide-react'
import { useDeferredValue, useState } from 'react'
import { asCarrelError } from '../../src/model/errors.ts'
import type { Session } from '../../src/model/tree.ts'
import { useHistoryStatus, useSnapshots } from '../data/files.ts'
import { usePage, useWorkspaceId } from '../data/use-page.ts'
import { GapsLine, HistoryNote } from '../files/HistoryNote.tsx'
import { attempt, say } from '../shell/toasts.ts'
import { texts } from '../texts/texts.ts'
import { Choice } from '../ui/Choice.tsx'
import { fullDay } from '../ui/format.ts'
import { Problem } from '../ui/Problem.tsx'
import { SnapshotRow } from './SnapshotRow.tsx'
import { useKeys } from './use-keys.ts'
import '../files/files.css'
import './timeline.css'

/** The snapshots of a place by all its sessions, newest first. */
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
  const words = texts.timeline
  const narrowed = mine || wanted !== ''
  const none = narrowed ? words.none : words.empty
  return (
    <>
      <Filter mine={mine} onMine={setMine} path={path} onPath={setPath} project={row.project} />
      <div className="files-body scroll">
        {status.data && <HistoryNote status={status.data} />}
        {list.error && <Problem error={asCarrelError(list.error)} />}
        {list.isPending && !list.error && <p className="panel-note">{words.looking}</p>}
        {list.data && snapshots.length === 0 && (
          <div className="empty">
            <h2>{none.title}</h2>
            <p>{none.text}</p>
          </div>
        )}
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
        {list.hasNextPage && (
          <button
            type="button"
            className="btn quiet diff-more"
            disabled={list.isFetchingNextPage}
            onClick={() => void list.fetchNextPage()}
          >
            {list.isFetchingNextPage ? words.loadingOlder : words.older}
          </button>
        )}
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
  const words = texts.timeline.filter
  return (
    <search className="files-tools timeline-tools">
      <div className="row">
        <Choice
          label={words.session}
          value={mine ? 'this' : 'all'}
          options={[
            { value: 'all', label: words.all },
            { value: 'this', label: words.this },
          ]}
          onChoose={(value) => onMine(value === 'this')}
        />
        <input
          className="field grow mono"
          aria-label={words.path}
          placeholder={words.pathHint}
          value={path}
          spellCheck={false}
          onChange={(event) => onPath(event.target.value)}
        />
        <LookNow project={project} />
      </div>
    </search>
  )
}

/** Has the place looked at now, which may find what no watcher told. */
function LookNow({ project }: { project: string }) {
  const page = usePage()
  const workspace = useWorkspaceId()
  const queries = useQueryClient()
  const [busy, setBusy] = useState(false)
  const words = texts.timeline
  const look = async (): Promise<void> => {
    setBusy(true)
    await attempt(words.notCaptured, async () => {
      const { changed } = await page.call('history.capture', { workspace, project })
      say(words.captured(changed))
      await queries.invalidateQueries({ queryKey: ['history'] })
    })
    setBusy(false)
  }
  const label = busy ? words.capturing : words.capture
  return (
    <button
      type="button"
      className="btn quiet icon"
      aria-label={label}
      title={label}
      disabled={busy}
      onClick={() => void look()}
    >
      <ScanEye aria-hidden />
    </button>
  )
}
