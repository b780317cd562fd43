import { ChevronRight, Pin, PinOff } from 'lucide-react'
import type { Counts, Snapshot } from '../../src/model/files/history.ts'
import { attempt } from '../data/toasts.ts'
import { usePage, useWorkspaceId } from '../data/use-page.ts'
import { AuthorChip } from '../diff/AuthorChip.tsx'
import { clockTime, fullTime } from '../texts/format.ts'
import { texts } from '../texts/texts.ts'
import { IconButton } from '../ui/Button.tsx'
import { SnapshotDetail } from './SnapshotDetail.tsx'

interface Props {
  readonly project: string
  readonly session: string
  readonly snapshot: Snapshot
  readonly open: boolean
  readonly onToggle: () => void
  /** Loads the list again: the stream does not carry pins. */
  readonly onChanged: () => void
}

/** One snapshot of the timeline. */
export function SnapshotRow({ project, session, snapshot, open, onToggle, onChanged }: Props) {
  const { n, at, reason, author, counts, pinned } = snapshot
  const labels = texts.timeline
  const page = usePage()
  const workspace = useWorkspaceId()
  const pin = (): void =>
    void attempt(
      labels.notPinned,
      () => page.call('history.pin', { workspace, project, n, pinned: !pinned }),
      onChanged,
    )
  const pinLabel = pinned ? labels.unpin : labels.pin
  return (
    <li className="snapshot" data-pinned={pinned || undefined} data-open={open || undefined}>
      <div className="snapshot-head">
        <button type="button" className="snapshot-name" aria-expanded={open} onClick={onToggle}>
          <ChevronRight className="glyph fold-mark" aria-hidden />
          <b className="cut grow">{labels.reasons[reason]}</b>
          <CountMarks counts={counts} />
        </button>
        <IconButton
          icon={pinned ? PinOff : Pin}
          label={`${labels.number(n)}: ${pinLabel}`}
          className="snapshot-pin"
          aria-pressed={pinned}
          title={pinLabel}
          onClick={pin}
        />
      </div>
      <p className="snapshot-meta faint">
        <time title={fullTime(at)}>{clockTime(at)}</time>
        <span>{labels.number(n)}</span>
        {author && <AuthorChip author={author} />}
      </p>
      {open && <SnapshotDetail project={project} session={session} snapshot={snapshot} />}
    </li>
  )
}

function CountMarks({ counts: { created, modified, deleted } }: { counts: Counts }) {
  const labels = texts.timeline
  return (
    <span className="count-marks">
      {created > 0 && (
        <span data-change="created" title={labels.created(created)}>
          +{created}
        </span>
      )}
      {modified > 0 && (
        <span data-change="changed" title={labels.modified(modified)}>
          ~{modified}
        </span>
      )}
      {deleted > 0 && (
        <span data-change="removed" title={labels.deleted(deleted)}>
          -{deleted}
        </span>
      )}
    </span>
  )
}
