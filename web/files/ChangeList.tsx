import { Folder } from 'lucide-react'
import { useState } from 'react'
import type { Scope } from '../data/files.ts'
import { AuthorChip } from '../diff/AuthorChip.tsx'
import type { Viewed } from '../diff/viewed.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { ChangeRow } from './ChangeRow.tsx'
import { type AuthorGroup, byAuthor, byFolder, shownPath, type Touched } from './groups.ts'

interface Props {
  readonly project: string
  readonly scope: Scope
  readonly n: number
  readonly session: string
  readonly changes: readonly Touched[]
  readonly order: 'tree' | 'flat'
  readonly viewed: Viewed
  readonly opened: ReadonlySet<string>
  readonly onToggle: (key: string) => void
  readonly onUndo: ((path: string, hunk?: number) => void) | undefined
}

/** The number of rows before "Show more". */
const FIRST = 150

/** Changed paths by author; for one author by folder or as a list. */
export function ChangeList(props: Props) {
  const groups = byAuthor(props.changes)
  const [only] = groups
  const own = groups.length === 1 && only?.author.kind === 'run' && only.author.session === props.session
  return groups.map((group) => (
    <section key={group.key} className="change-group" aria-label={texts.files.count(group.changes.length)}>
      {!own && (
        <h3 className="change-author">
          <AuthorChip author={group.author} note={texts.files.certainty[group.changes[0]!.certainty]} />
          <span className="faint">{texts.files.count(group.changes.length)}</span>
        </h3>
      )}
      <Group {...props} group={group} />
    </section>
  ))
}

function Group({ group, order, opened, onToggle, ...more }: Props & { group: AuthorGroup }) {
  const [most, setMost] = useState(FIRST)
  const shown = group.changes.slice(0, most)
  const parts = order === 'tree' ? byFolder(shown) : [{ folder: '', changes: shown }]
  const left = group.changes.length - shown.length
  return (
    <>
      {parts.map(({ folder, changes }) => (
        <div key={folder}>
          {folder !== '' && (
            <h4 className="change-folder" title={shownPath(folder)}>
              <Folder className="glyph" aria-hidden />
              <bdi className="cut">{shownPath(folder)}</bdi>
            </h4>
          )}
          <ul className="changes" data-within={folder !== '' || undefined}>
            {changes.map((change) => {
              const key = `${group.key} ${change.path}`
              return (
                <ChangeRow
                  key={key}
                  {...more}
                  change={change}
                  within={folder}
                  open={opened.has(key)}
                  onToggle={() => onToggle(key)}
                />
              )
            })}
          </ul>
        </div>
      ))}
      {left > 0 && (
        <Button label={texts.files.more(left)} className="quiet diff-more" onClick={() => setMost(most + 500)} />
      )}
    </>
  )
}
