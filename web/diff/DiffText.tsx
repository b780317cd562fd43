import { type KeyboardEvent, type ReactNode, useMemo, useState } from 'react'
import {
  type ChangeData,
  Decoration,
  Diff,
  expandFromRawCode,
  type GutterOptions,
  type HunkData,
  Hunk as HunkView,
  type RenderToken,
} from 'react-diff-view'
import 'react-diff-view/style/index.css'
import type { FileDiff, Hunk } from '../../src/model/files/history.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { useCell } from '../ui/cell.ts'
import { HunkHead } from './HunkHead.tsx'
import { endsOpen, indexesIn, kindOf, languageOf, toHunkData } from './hunks.ts'
import { diffLook } from './look.ts'
import { useRemarks } from './use-remarks.tsx'
import { useTokens } from './use-tokens.ts'
import { useWide } from './use-wide.ts'

export interface DiffTextProps {
  readonly diff: FileDiff
  /** The session whose comments are collected. Null where comments are not possible. */
  readonly session: string | null
  /** The acts on one hunk, shown beside its author. */
  readonly hunkActs?: ((index: number, hunk: Hunk) => ReactNode) | undefined
}

/** Longer hunks are shown in part: a browser takes seconds to lay out ten thousand rows. */
const LONG_HUNK = 400

/** The lines of a diff, with syntax colours, authors and comments. */
export function DiffText({ diff, session, hunkActs }: DiffTextProps) {
  const look = useCell(diffLook)
  const [box, wide] = useWide()
  const given = useMemo(() => diff.hunks.map(toHunkData), [diff.hunks])
  const [opened, setOpened] = useState<{ of: typeof given; hunks: HunkData[] } | null>(null)
  const full = opened?.of === given ? opened.hunks : given
  const [whole, setWhole] = useState(false)
  const hunks = useMemo(() => (whole ? full : full.map(shortened)), [full, whole])
  const tokens = useTokens(full, diff.texts, languageOf(diff.path))
  const remarks = useRemarks(session ?? '', diff.path, full)
  const unfold = (from: number, to: number): void => {
    if (diff.texts) setOpened({ of: given, hunks: expandFromRawCode(full, diff.texts.before, from, to) })
  }
  const left = full.reduce((sum, { changes }, at) => sum + changes.length - (hunks[at]?.changes.length ?? 0), 0)
  const lastLine = diff.texts ? diff.texts.before.split('\n').length : 0
  const view = look.view === 'split' && wide && kindOf(diff) === 'modify' ? 'split' : 'unified'
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box must be reachable by keyboard
    <div ref={box} className="diff-text scroll" data-wrap={look.wrap || undefined} dir="ltr" tabIndex={0}>
      <Diff
        diffType={kindOf(diff)}
        viewType={view}
        hunks={hunks}
        tokens={tokens}
        widgets={session === null ? {} : remarks.widgets}
        renderToken={renderToken}
        {...(session !== null && { renderGutter: gutterWith(remarks.write, stopsOf(hunks)) })}
      >
        {(all) =>
          all.flatMap((hunk, at) => {
            const before = all[at - 1]
            const from = before ? before.oldStart + before.oldLines : 1
            return [
              <Decoration key={`head ${hunk.content}`} className="hunk-head">
                <HunkHead
                  hunks={diff.hunks}
                  indexes={indexesIn(diff.hunks, hunk)}
                  line={Math.max(1, hunk.newStart)}
                  folded={diff.texts ? Math.max(0, hunk.oldStart - from) : 0}
                  onUnfold={() => unfold(from, hunk.oldStart)}
                  acts={hunkActs}
                />
              </Decoration>,
              <HunkView key={hunk.content} hunk={hunk} />,
            ]
          })
        }
      </Diff>
      <Foot
        left={left}
        below={lastLine - endOf(full)}
        onWhole={() => setWhole(true)}
        onBelow={() => unfold(endOf(full), lastLine + 1)}
      />
      {endsOpen(diff.hunks) && <p className="diff-note">{texts.files.diff.noEnd}</p>}
    </div>
  )
}

interface FootProps {
  readonly left: number
  readonly below: number
  readonly onWhole: () => void
  readonly onBelow: () => void
}

function Foot({ left, below, onWhole, onBelow }: FootProps) {
  const labels = texts.files.diff
  if (left > 0) return <Button label={labels.rest(left)} className="quiet diff-more" onClick={onWhole} />
  if (below <= 1) return null
  return <Button label={labels.unfold(below - 1)} className="quiet diff-more" onClick={onBelow} />
}

const shortened = (hunk: HunkData): HunkData =>
  hunk.changes.length > LONG_HUNK ? { ...hunk, changes: hunk.changes.slice(0, LONG_HUNK) } : hunk

const endOf = (hunks: readonly HunkData[]): number => {
  const last = hunks.at(-1)
  return last ? last.oldStart + last.oldLines : 1
}

const renderToken: RenderToken = (token, renderDefault, at) => {
  if (token.type !== 'colour' && token.type !== 'edit') return renderDefault(token, at)
  const look = token.type === 'edit' ? { className: 'diff-code-edit' } : { style: { color: token.colour as string } }
  return (
    <span key={at} {...look}>
      {token.children?.map((child, each) => renderToken(child, renderDefault, each)) ?? (token.value as string)}
    </span>
  )
}

const stopsOf = (hunks: readonly HunkData[]): ReadonlySet<ChangeData> =>
  new Set(hunks.flatMap(({ changes }) => changes.find(({ type }) => type !== 'normal') ?? []))

/** Makes line numbers buttons. One number of each hunk is a tab stop, and arrow keys reach the others. */
const gutterWith =
  (write: (change: ChangeData) => void, stops: ReadonlySet<ChangeData>) =>
  ({ change, side, renderDefault }: GutterOptions): ReactNode => {
    const spoken = side === 'new' ? change.type !== 'delete' : change.type === 'delete'
    const number = change.type === 'normal' ? change.newLineNumber : change.lineNumber
    if (!spoken) return renderDefault()
    return (
      <button
        type="button"
        className="diff-line-number"
        tabIndex={stops.has(change) ? 0 : -1}
        aria-label={texts.files.remark.on(number, change.type === 'delete')}
        onClick={() => write(change)}
        onKeyDown={moveAmongLines}
      >
        {number}
      </button>
    )
  }

function moveAmongLines(event: KeyboardEvent<HTMLButtonElement>): void {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
  if (step === 0) return
  const all = [...(event.currentTarget.closest('.diff-text')?.querySelectorAll<HTMLElement>('.diff-line-number') ?? [])]
  event.preventDefault()
  all[all.indexOf(event.currentTarget) + step]?.focus()
}
