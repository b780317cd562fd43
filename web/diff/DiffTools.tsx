import { Columns2, Rows2, WrapText } from 'lucide-react'
import { texts } from '../texts/texts.ts'
import { IconButton } from '../ui/Button.tsx'
import { useCell } from '../ui/cell.ts'
import { diffLook, setDiffLook } from './look.ts'

/** The layout of all diffs. */
export function DiffTools({ onSplit }: { onSplit?: () => void }) {
  const { view, wrap } = useCell(diffLook)
  const labels = texts.files.diff
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would need a legend
    <div className="diff-tools" role="group" aria-label={labels.look}>
      <IconButton
        icon={Rows2}
        label={labels.unified}
        aria-pressed={view === 'unified'}
        onClick={() => setDiffLook({ view: 'unified' })}
      />
      <IconButton
        icon={Columns2}
        label={labels.split}
        aria-pressed={view === 'split'}
        onClick={() => {
          setDiffLook({ view: 'split' })
          onSplit?.()
        }}
      />
      <IconButton
        icon={WrapText}
        label={labels.wrap}
        aria-pressed={wrap}
        onClick={() => setDiffLook({ wrap: !wrap })}
      />
    </div>
  )
}
