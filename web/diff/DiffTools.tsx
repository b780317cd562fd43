import { Columns2, Rows2, WrapText } from 'lucide-react'
import { texts } from '../texts/texts.ts'
import { useCell } from '../ui/cell.ts'
import { diffLook, setDiffLook } from './look.ts'

/** How diffs are shown, for all of them at once. */
export function DiffTools({ onSplit }: { onSplit?: () => void }) {
  const { view, wrap } = useCell(diffLook)
  const words = texts.files.diff
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would need a legend
    <div className="diff-tools" role="group" aria-label={words.look}>
      <button
        type="button"
        className="btn quiet icon"
        aria-pressed={view === 'unified'}
        aria-label={words.unified}
        title={words.unified}
        onClick={() => setDiffLook({ view: 'unified' })}
      >
        <Rows2 aria-hidden />
      </button>
      <button
        type="button"
        className="btn quiet icon"
        aria-pressed={view === 'split'}
        aria-label={words.split}
        title={words.split}
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
        aria-label={words.wrap}
        title={words.wrap}
        onClick={() => setDiffLook({ wrap: !wrap })}
      >
        <WrapText aria-hidden />
      </button>
    </div>
  )
}
