import { texts } from '../texts/texts.ts'
import type { ChangeKind } from './groups.ts'
import './change-mark.css'

/** The kind of a change, as a letter and a hidden word. */
export function ChangeMark({ kind }: { kind: ChangeKind }) {
  return (
    <span className="change-mark" data-change={kind} title={texts.files.states[kind]}>
      <span aria-hidden>{texts.files.marks[kind]}</span>
      <span className="hidden">{texts.files.states[kind]}</span>
    </span>
  )
}
