import { memo } from 'react'
import { texts } from '../../texts/texts.ts'
import { Actions } from '../Actions.tsx'
import { ActRow, FilesRow } from './FilesRow.tsx'
import { MessageRow } from './MessageRow.tsx'
import { NoticeRow, RawRow } from './NoticeRow.tsx'
import { OfItem } from './OmittedPicture.tsx'
import { PlanRow } from './PlanRow.tsx'
import { QuestionRow } from './QuestionRow.tsx'
import { RunEnd } from './RunEnd.tsx'
import { RunHead } from './RunHead.tsx'
import type { TranscriptRowData } from './rows.ts'
import { ThoughtRow } from './ThoughtRow.tsx'
import { ToolRow } from './ToolRow.tsx'

/** One row of the transcript, rendered again only when its item changes. */
export const TranscriptRow = memo(
  function TranscriptRow({ row }: { row: TranscriptRowData }) {
    if (row.kind === 'new') return <p className="since">{texts.transcript.since}</p>
    if (row.kind === 'end') return <RunEnd item={row.item} />
    if (row.afterword === null) return <ItemRow row={row} />
    return (
      <>
        <p className="afterword faint">{texts.transcript.afterword[row.afterword]}</p>
        <ItemRow row={row} />
      </>
    )
  },
  (before, after) => {
    const [a, b] = [before.row, after.row]
    if (a === b) return true
    if (a.kind === 'new' || b.kind === 'new' || a.kind !== b.kind || a.item !== b.item) return false
    if (a.kind === 'end' || b.kind === 'end') return true
    return a.last === b.last && a.undone === b.undone && a.afterword === b.afterword
  },
)

function ItemRow({ row: { item, last, undone } }: { row: Extract<TranscriptRowData, { kind: 'item' }> }) {
  switch (item.kind) {
    case 'run':
      return <RunHead item={item} />
    case 'message':
      return (
        <div className="act-box">
          <MessageRow item={item} streaming={last} />
          <Actions n={item.n} seq={item.seq} text={item.text} />
        </div>
      )
    case 'thought':
      return <ThoughtRow item={item} />
    case 'tool':
      return (
        <OfItem item={item}>
          <ToolRow item={item} />
        </OfItem>
      )
    case 'plan':
      return <PlanRow item={item} />
    case 'question':
      return <QuestionRow item={item} />
    case 'notice':
      return (
        <OfItem item={item}>
          <NoticeRow item={item} />
        </OfItem>
      )
    case 'raw':
      return <RawRow item={item} />
    case 'files':
      return <FilesRow item={item} undone={undone} />
    case 'act':
      return <ActRow item={item} />
  }
}
