import { lazy, Suspense } from 'react'
import type { FileDiff, FileState } from '../../src/model/files/history.ts'
import { texts } from '../texts/texts.ts'
import type { DiffTextProps } from './DiffText.tsx'
import './diff-view.css'

const DiffText = lazy(() => import('./DiffText.tsx').then((file) => ({ default: file.DiffText })))

/** The difference of two states of a path: lines for text, else a sentence. */
export function DiffView(props: DiffTextProps) {
  const { diff } = props
  const labels = texts.files.diff
  const note = noteOf(diff)
  return (
    <>
      {note && <p className="diff-note">{note}</p>}
      {diff.content === 'text' && diff.hunks.length > 0 && (
        <Suspense fallback={<p className="diff-note">{labels.loading}</p>}>
          <DiffText {...props} />
        </Suspense>
      )}
    </>
  )
}

function noteOf({ content, hunks, before, after }: FileDiff): string | null {
  const labels = texts.files.diff
  const modes = before && after && before.mode !== after.mode ? labels.newMode(octal(before), octal(after)) : null
  if (content !== 'text') {
    const sizes = labels.sizes(before?.size ?? null, after?.size ?? null)
    return [labels[content], `${sizes}.`, modes && `${modes}.`].filter(Boolean).join(' ')
  }
  if (modes) return `${modes}.`
  return hunks.length === 0 ? labels.same : null
}

const octal = ({ mode }: FileState): string => mode.toString(8).padStart(4, '0')
