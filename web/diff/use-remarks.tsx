import { useMemo, useState } from 'react'
import { type ChangeData, getChangeKey, type HunkData } from 'react-diff-view'
import { useCell } from '../ui/cell.ts'
import { LineRemark } from './LineRemark.tsx'
import { type Remark, remarksOf, setRemark } from './remarks.ts'

/** The comments on one path of a session and the draft of a new one, as content below lines by the line's name. */
export function useRemarks(session: string, path: string, hunks: readonly HunkData[]) {
  const all = useCell(remarksOf(session))
  const [open, setOpen] = useState<string | null>(null)
  const byKey = useMemo(
    () => new Map(hunks.flatMap(({ changes }) => changes).map((change) => [getChangeKey(change), change])),
    [hunks],
  )
  // In a file that has changed since, the same number is another line.
  const own = all.filter((one) => one.path === path && byKey.get(one.line)?.content === one.quote)
  const fresh = open !== null && !own.some(({ line }) => line === open) ? byKey.get(open) : undefined
  const shown = fresh ? [...own, blank(path, fresh)] : own
  const widgets = Object.fromEntries(
    shown.map((remark) => [
      remark.line,
      <LineRemark
        key={remark.line}
        remark={remark}
        editing={open === remark.line}
        onEdit={() => setOpen(remark.line)}
        onClose={() => setOpen(null)}
        onKeep={(text) => {
          setRemark(session, { ...remark, text })
          setOpen(null)
        }}
      />,
    ]),
  )
  return { widgets, write: (change: ChangeData) => setOpen(getChangeKey(change)) }
}

function blank(path: string, change: ChangeData): Remark {
  const number = lineOf(change)
  return { path, line: getChangeKey(change), number, gone: change.type === 'delete', quote: change.content, text: '' }
}

const lineOf = (change: ChangeData): number => (change.type === 'normal' ? change.newLineNumber : change.lineNumber)
