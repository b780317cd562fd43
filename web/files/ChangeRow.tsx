import { ChevronRight, History } from 'lucide-react'
import type { Scope } from '../data/files.ts'
import type { Viewed } from '../diff/viewed.ts'
import { texts } from '../texts/texts.ts'
import { Menu, type MenuEntry } from '../ui/Menu.tsx'
import { ChangeMark } from './ChangeMark.tsx'
import { DiffFile } from './DiffFile.tsx'
import { changeKindOf, shownPath, type Touched } from './groups.ts'
import { PathName } from './PathName.tsx'

export interface ChangeRowProps {
  readonly project: string
  readonly scope: Scope
  readonly n: number
  readonly session: string
  readonly change: Touched
  /** The folder in the heading above, which the path does not repeat. */
  readonly within: string
  readonly open: boolean
  readonly viewed: Viewed
  readonly onToggle: () => void
  readonly onUndo: ((path: string, hunk?: number) => void) | undefined
}

/** One changed path: the kind of its change, and on demand its diff. */
export function ChangeRow(props: ChangeRowProps) {
  const { project, scope, n, session, change, within, open, viewed, onToggle, onUndo } = props
  const { path, after, times, changedSince } = change
  const labels = texts.files
  const seen = viewed.has(path, after)
  const entries: MenuEntry[] = [
    ...(onUndo ? [{ label: labels.undoPath, act: () => onUndo(path) }] : []),
    { label: labels.diff.copyPath, act: () => void navigator.clipboard?.writeText(shownPath(path)) },
  ]
  return (
    <li className="change" data-viewed={seen || undefined} data-open={open || undefined}>
      <div className="change-head">
        <button type="button" className="change-name" aria-expanded={open} onClick={onToggle}>
          <ChevronRight className="glyph fold-mark" aria-hidden />
          <ChangeMark kind={changeKindOf(change)} />
          <PathName path={path} within={within} />
          {after?.kind === 'link' && <span className="faint">{labels.link}</span>}
          {(after ?? change.before)?.kind === 'folder' && <span className="faint">{labels.folder}</span>}
          {times > 1 && <span className="faint change-times">{labels.times(times)}</span>}
        </button>
        {changedSince && (
          <span className="change-since" title={labels.changedSinceNote}>
            <History className="glyph" aria-hidden />
            <span className="hidden">{labels.changedSince}</span>
          </span>
        )}
        <input
          type="checkbox"
          className="change-viewed"
          title={labels.diff.viewed}
          aria-label={labels.diff.viewedOf(path)}
          checked={seen}
          onChange={({ target }) => {
            viewed.set(path, after, target.checked)
            if (target.checked === open) onToggle()
          }}
        />
        <Menu label={labels.menu(shownPath(path))} entries={entries} />
      </div>
      {open && (
        <DiffFile
          project={project}
          scope={scope}
          path={path}
          n={n}
          session={session}
          onUndo={onUndo && ((hunk) => onUndo(path, hunk))}
        />
      )}
    </li>
  )
}
