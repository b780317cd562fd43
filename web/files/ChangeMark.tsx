import { texts } from '../texts/texts.ts'
import type { Deed } from './groups.ts'
import './change-mark.css'

/** Created, changed or removed, as a letter and a word. */
export function ChangeMark({ deed }: { deed: Deed }) {
  return (
    <span className="change-mark" data-deed={deed} title={texts.files.states[deed]}>
      <span aria-hidden>{texts.files.marks[deed]}</span>
      <span className="hidden">{texts.files.states[deed]}</span>
    </span>
  )
}
