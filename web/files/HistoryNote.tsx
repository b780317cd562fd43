import type { HistoryStatus } from '../../src/model/files/history.ts'
import { overlay } from '../data/overlay.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'

/** The state of a history that limits its lists: first scan, missing folder, failure. */
export function HistoryNote({ status }: { status: HistoryStatus }) {
  const labels = texts.files
  if (status.state === 'importing') return <Importing progress={status.progress} />
  if (status.state === 'missing') return <p className="history-note bad">{labels.missing}</p>
  if (status.state === 'failed') {
    return (
      <div className="problem" role="alert">
        <p>
          <b>{labels.failed} </b>
          {status.problem}
        </p>
      </div>
    )
  }
  if (status.watching) return null
  return <p className="history-note faint">{labels.notWatched}</p>
}

function Importing({ progress }: Pick<HistoryStatus, 'progress'>) {
  const labels = texts.files
  const { done = 0, total = null } = progress ?? {}
  return (
    <div className="history-note">
      <label className="stack-s">
        <span>{labels.importing(done, total)}</span>
        {/* Without a value the total is unknown. */}
        <progress {...(total !== null && { value: done, max: Math.max(1, total) })} />
      </label>
      <p className="faint">{labels.importNote}</p>
    </div>
  )
}

/** The number of paths that the history does not track, at the end of every list. */
export function GapsLine({ project, space, gaps, n }: { project: string; space: string; gaps: number; n: number }) {
  if (gaps === 0) return null
  return (
    <p className="gaps-line faint">
      <span>{texts.files.gaps.line(gaps)}</span>
      <Button className="quiet" onClick={() => overlay.set({ kind: 'gaps', project, space, n })}>
        {texts.files.gaps.show}
      </Button>
    </p>
  )
}
