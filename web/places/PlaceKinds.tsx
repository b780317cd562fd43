import { Folder, GitBranch, Layers } from 'lucide-react'
import { useId } from 'react'
import { PlaceKind } from '../../src/model/tree.ts'
import { texts } from '../texts/texts.ts'
import type { Drivers } from './ProjectDialog.tsx'

interface Props {
  readonly kind: PlaceKind
  readonly onKind: (kind: PlaceKind) => void
  readonly drivers: Drivers | undefined
  /** Whether the Space's folder is a git repository. */
  readonly git: boolean
}

const MARKS = { direct: Folder, worktree: GitBranch, overlay: Layers }

/** The choice between the folder itself, a worktree and an overlay. */
export function PlaceKinds({ kind, onKind, drivers, git }: Props) {
  const name = useId()
  const labels = texts.places
  const best = drivers?.find(({ usable }) => usable)
  return (
    <fieldset className="place-kinds">
      <legend>{labels.create.where}</legend>
      {PlaceKind.options.map((each) => {
        const Mark = MARKS[each]
        const note = each === 'overlay' && best ? labels.create.best(best.name) : null
        return (
          <label key={each} className="place-kind">
            <input type="radio" name={name} checked={kind === each} onChange={() => onKind(each)} />
            <Mark className="glyph" aria-hidden />
            <span>
              <b>{labels.kinds[each].label}</b>
              <span className="choice-note">{labels.kinds[each].note}</span>
              {note && <span className="choice-note">{note}</span>}
              {each === 'worktree' && !git && <span className="choice-note">{labels.create.noGit}</span>}
              {each === 'overlay' && drivers && !best && <span className="choice-note">{labels.create.noDriver}</span>}
            </span>
          </label>
        )
      })}
    </fieldset>
  )
}
