import { UnfoldVertical } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Hunk } from '../../src/model/history.ts'
import { texts } from '../texts/texts.ts'
import { AuthorChip } from './AuthorChip.tsx'
import { authorsOf } from './hunks.ts'

interface Props {
  readonly hunks: readonly Hunk[]
  /** Those of them that stand here. */
  readonly indexes: readonly number[]
  readonly line: number
  /** How many lines above it are not shown. */
  readonly folded: number
  readonly onUnfold: () => void
  readonly acts: ((index: number, hunk: Hunk) => ReactNode) | undefined
}

/** Between two parts of a diff: what is folded there, whose the next part is, what can be done with it. */
export function HunkHead({ hunks, indexes, line, folded, onUnfold, acts }: Props) {
  const words = texts.files.diff
  const here = indexes.map((index) => [index, hunks[index]!] as const)
  return (
    <div className="hunk-line">
      {folded > 0 ? (
        <button type="button" className="btn quiet hunk-unfold" onClick={onUnfold}>
          <UnfoldVertical aria-hidden />
          {words.unfold(folded)}
        </button>
      ) : (
        <span className="faint">{words.line(line)}</span>
      )}
      <span className="grow" />
      {authorsOf(here.map(([, hunk]) => hunk)).map((author) => (
        <AuthorChip key={JSON.stringify(author)} author={author} />
      ))}
      {acts && here.map(([index, hunk]) => <span key={index}>{acts(index, hunk)}</span>)}
    </div>
  )
}
