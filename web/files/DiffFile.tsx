import { Undo2 } from 'lucide-react'
import { type Scope, useFileDiff } from '../data/files.ts'
import { DiffView } from '../diff/DiffView.tsx'
import { countLines } from '../diff/hunks.ts'
import { texts } from '../texts/texts.ts'
import { IconButton } from '../ui/Button.tsx'
import { Problem } from '../ui/Problem.tsx'

interface Props {
  readonly project: string
  readonly scope: Scope
  readonly path: string
  readonly n: number
  readonly session: string | null
  readonly onUndo?: ((hunk: number) => void) | undefined
}

/** The diff of one path, requested when it is expanded. */
export function DiffFile({ project, scope, path, n, session, onUndo }: Props) {
  const { data, error, isPending } = useFileDiff(project, scope, path, n)
  const labels = texts.files.diff
  if (error) return <Problem error={error} />
  if (isPending) return <p className="diff-note">{labels.loading}</p>
  const { added, cut } = countLines(data.hunks)
  const acts = onUndo && ((index: number) => <UndoHunk onUndo={() => onUndo(index)} />)
  return (
    <section aria-label={labels.title(path)}>
      {data.content === 'text' && added + cut > 0 && (
        <p className="diff-counts">
          <span className="diff-add" title={labels.added(added)}>
            +{added}
          </span>
          <span className="diff-cut" title={labels.removed(cut)}>
            -{cut}
          </span>
        </p>
      )}
      <DiffView diff={data} session={session} hunkActs={data.hunks.length > 1 ? acts : undefined} />
    </section>
  )
}

function UndoHunk({ onUndo }: { onUndo: () => void }) {
  const labels = texts.files
  return <IconButton icon={Undo2} label={labels.undoHunk} className="small" onClick={onUndo} />
}
