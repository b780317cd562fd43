import { Columns2, Rows2, WrapText } from 'lucide-react'
import { texts } from '../texts/texts.ts'
import { useCell } from '../ui/cell.ts'
import { diffLook, setDiffLook } from './look.ts'

/** The layout of all diffs. */
export function DiffTools({ onSplit }: { onSplit?: () => void }) {
  const { view, wrap } = useCell(diffLook)
  const labels = texts.files.diff
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would need a legend
    <div className="diff-tools" role="group" aria-label={labels.look}>
      <button
        type="button"
        className="btn quiet icon"
        aria-pressed={view === 'unified'}
        aria-label={labels.unified}
        title={labels.unified}
        onClick={() => setDiffLook({ view: 'unified' })}
      >
        <Rows2 aria-hidden />
      </button>
      <button
        type="button"
        className="btn quiet icon"
        aria-pressed={view === 'split'}
        aria-label={labels.split}
        title={labels.split}
        onClick={() => {
          setDiffLook({ view: 'split' })
          onSplit?.()
        }}
      >
        <Columns2 aria-hidden />
      </button>
      <button
        type="button"
        className="btn quiet icon"
        aria-pressed={wrap}
        aria-label={labels.wrap}
        title={labels.wrap}
        onClick={() => setDiffLook({ wrap: !wrap })}
      >
        <WrapText aria-hidden />
      </button>
    </div>
  )
}
