import { UnfoldVertical } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Hunk } from '../../src/model/files/history.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { AuthorChip } from './AuthorChip.tsx'
import { authorsOf } from './hunks.ts'

interface Props {
  readonly hunks: readonly Hunk[]
  /** The original hunks that this hunk contains. */
  readonly indexes: readonly number[]
  readonly line: number
  /** The number of hidden lines above the hunk. */
  readonly folded: number
  readonly onUnfold: () => void
  readonly acts: ((index: number, hunk: Hunk) => ReactNode) | undefined
}

/** The bar above a hunk: unfolds hidden lines, and shows the hunk's author and acts. */
export function HunkHead({ hunks, indexes, line, folded, onUnfold, acts }: Props) {
  const labels = texts.files.diff
  const here = indexes.map((index) => [index, hunks[index]!] as const)
  return (
    <div className="hunk-line">
      {folded > 0 ? (
        <Button icon={UnfoldVertical} label={labels.unfold(folded)} className="quiet hunk-unfold" onClick={onUnfold} />
      ) : (
        <span className="faint">{labels.line(line)}</span>
      )}
      <span className="grow" />
      {authorsOf(here.map(([, hunk]) => hunk)).map((author) => (
        <AuthorChip key={JSON.stringify(author)} author={author} />
      ))}
      {acts && here.map(([index, hunk]) => <span key={index}>{acts(index, hunk)}</span>)}
    </div>
  )
}
