import { ChevronRight } from 'lucide-react'
import type { Output } from '../../src/api/index.ts'
import { useWorkspace } from '../data/use-page.ts'
import { AuthorChip } from '../diff/AuthorChip.tsx'
import { ChangeMark } from '../files/ChangeMark.tsx'
import { DiffFile } from '../files/DiffFile.tsx'
import { changeKindOf } from '../files/groups.ts'
import { PathName } from '../files/PathName.tsx'
import { clockTime, fullTime } from '../texts/format.ts'
import { texts } from '../texts/texts.ts'

type Touch = Output<'changes.list'>['changes'][number]

/** One change of the file history, with a diff on demand. */
export function TouchRow({ row, open, onToggle }: { row: Touch; open: boolean; onToggle: () => void }) {
  const { spaces, projects } = useWorkspace()
  const { space, change } = row
  // All `direct` projects of a Space work in its folder.
  const direct = Object.values(projects).find((each) => each.space === space && each.place.kind === 'direct')
  const project = row.project ?? direct?.id ?? null
  const where = [spaces[space]?.name, row.project ? projects[row.project]?.name : undefined].filter(Boolean).join(' / ')
  return (
    <li className="touch" data-open={open || undefined}>
      <div className="touch-head">
        <button
          type="button"
          className="change-name"
          aria-expanded={open}
          disabled={project === null}
          onClick={onToggle}
        >
          <ChevronRight className="glyph fold-mark" aria-hidden />
          <ChangeMark kind={changeKindOf(change)} />
          <PathName path={change.path} />
        </button>
        <span className="faint cut touch-place" title={where}>
          {where}
        </span>
        <AuthorChip author={change.author} note={texts.files.certainty[change.certainty]} />
        <time className="faint" title={fullTime(change.at)}>
          {clockTime(change.at)}
        </time>
      </div>
      {open && project !== null && (
        <DiffFile
          project={project}
          scope={{ kind: 'since', from: change.n - 1, to: change.n }}
          path={change.path}
          n={change.n}
          session={null}
        />
      )}
    </li>
  )
}
