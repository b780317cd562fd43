import type { HistoryStatus } from '../../src/model/history.ts'
import { overlay } from '../shell/overlay.ts'
import { texts } from '../texts/texts.ts'

/** What must be known of a history before one trusts its lists: first import, a folder that is gone, what is not covered. */
export function HistoryNote({ status }: { status: HistoryStatus }) {
  const words = texts.files
  if (status.state === 'importing') return <Importing progress={status.progress} />
  if (status.state === 'missing') return <p className="history-note bad">{words.missing}</p>
  if (status.state === 'failed') {
    return (
      <div className="problem" role="alert">
        <p>
          <b>{words.failed} </b>
          {status.problem}
        </p>
      </div>
    )
  }
  if (status.watching) return null
  return <p className="history-note faint">{words.notWatched}</p>
}

function Importing({ progress }: Pick<HistoryStatus, 'progress'>) {
  const words = texts.files
  const { done = 0, total = null } = progress ?? {}
  return (
    <div className="history-note">
      <label className="stack-s">
        <span>{words.importing(done, total)}</span>
        {/* Without a value it says that nobody knows how much there is. */}
        <progress {...(total !== null && { value: done, max: Math.max(1, total) })} />
      </label>
      <p className="faint">{words.importNote}</p>
    </div>
  )
}

/** The line at the end of every list: what it cannot speak of. */
export function GapsLine({ project, space, gaps, n }: { project: string; space: string; gaps: number; n: number }) {
  if (gaps === 0) return null
  return (
    <p className="gaps-line faint">
      <span>{texts.files.gaps.line(gaps)}</span>
      <button type="button" className="btn quiet" onClick={() => overlay.set({ kind: 'gaps', project, space, n })}>
        {texts.files.gaps.show}
      </button>
    </p>
  )
}
