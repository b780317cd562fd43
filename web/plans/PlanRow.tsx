import { ChevronRight } from 'lucide-react'
import { useId, useState } from 'react'
import { onlyLeft } from '../../src/model/files/conflicts.ts'
import type { PlanEntry, PlanRequest } from '../../src/model/files/history.ts'
import { useWorkspace } from '../data/use-page.ts'
import { AuthorChip } from '../diff/AuthorChip.tsx'
import { PathName } from '../files/PathName.tsx'
import { texts } from '../texts/texts.ts'
import { PlanDiff } from './PlanDiff.tsx'
import { changeText, reasonText } from './reasons.ts'
import { decisionOf } from './selection.ts'
import type { Planning } from './use-planning.ts'

interface Props {
  readonly project: string
  readonly request: PlanRequest
  readonly planning: Planning
  readonly entry: PlanEntry
}

/** One path of a plan: its change, its author, and the decision on it. */
export function PlanRow({ project, request, planning, entry }: Props) {
  const [open, setOpen] = useState(false)
  const { sessions } = useWorkspace()
  const labels = texts.plans
  const { path, author, conflicts } = entry
  const asks = conflicts.length > 0
  const out = planning.selection.without.has(path)
  return (
    <li className="plan-row" data-out={out || undefined}>
      <div className="plan-line">
        {!asks && <Tick planning={planning} path={path} />}
        <button
          type="button"
          className="change-name"
          aria-expanded={open}
          aria-label={labels.showDiff(path)}
          onClick={() => setOpen(!open)}
        >
          <ChevronRight className="glyph fold-mark" aria-hidden />
          <PathName path={path} />
          {(entry.next ?? entry.now)?.kind === 'folder' && <span className="faint">{texts.files.folder}</span>}
        </button>
        <span className="faint plan-how">{changeText(entry, request.kind)}</span>
        {author && <AuthorChip author={author} note={labels.now} />}
      </div>
      {asks && (
        <div className="plan-word">
          <ul className="grow">
            {conflicts.map((each) => (
              <li key={JSON.stringify(each)}>{reasonText(each, sessions)}</li>
            ))}
          </ul>
          {!onlyLeft(entry) && <Word planning={planning} entry={entry} />}
        </div>
      )}
      {open && <PlanDiff project={project} request={request} entry={entry} planning={planning} />}
    </li>
  )
}

function Tick({ planning: { selection, select }, path }: { planning: Planning; path: string }) {
  const change = (taken: boolean): void => {
    const without = new Set(selection.without)
    if (taken) without.delete(path)
    else without.add(path)
    select({ without })
  }
  return (
    <input
      type="checkbox"
      className="plan-tick"
      aria-label={texts.plans.take(path)}
      checked={!selection.without.has(path)}
      onChange={({ target }) => change(target.checked)}
    />
  )
}

/** The decision on a conflict. Neither option is chosen at first. */
function Word({ planning: { selection, select }, entry }: { planning: Planning; entry: PlanEntry }) {
  const name = useId()
  const labels = texts.plans.choice
  const decision = decisionOf(entry, selection)
  return (
    <div className="segments plan-choice" role="radiogroup" aria-label={labels.label(entry.path)}>
      {(['overwrite', 'leave'] as const).map((word) => (
        <label key={word} data-word={word}>
          <input
            type="radio"
            name={name}
            checked={decision === word}
            onChange={() => select({ decisions: { ...selection.decisions, [entry.path]: word } })}
          />
          {labels[word]}
        </label>
      ))}
    </div>
  )
}
