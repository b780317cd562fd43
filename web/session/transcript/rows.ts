import type { ActItem, FilesItem, Item, RunItem } from '../../../src/model/events/items.ts'

/** A row of the transcript. */
export type TranscriptRowData =
  | {
      readonly kind: 'item'
      readonly key: string
      readonly item: Item
      readonly last: boolean
      /** For changed files: the act that undid all of them, if they are still undone. */
      readonly undone: ActItem | null
      /** The label above the first of several afterwords of one run: of the run above, or of an earlier one. */
      readonly afterword: 'this' | 'earlier' | null
    }
  /** The end of a run, below everything that belongs to it. */
  | { readonly kind: 'end'; readonly key: string; readonly item: RunItem }
  /** The mark above items that are new since the last visit. */
  | { readonly kind: 'new'; readonly key: string }

/**
 * Returns the rows for items. `seen` is the log's head at the last visit; 0 marks nothing. `head` is the run that the
 * first items belong to: its end is among the rows, its beginning is not loaded yet.
 */
export function rowsOf(items: readonly Item[], seen: number, head: RunItem | null): TranscriptRowData[] {
  const rows: TranscriptRowData[] = []
  let run = head
  let marked = seen === 0 || (items.at(-1)?.n ?? 0) <= seen
  // Changed files stand after the run's other items, though they are known from the first change on.
  let changed: TranscriptRowData[] = []
  const end = (): void => {
    rows.push(...changed)
    changed = []
    if (run?.state === 'ended') rows.push({ kind: 'end', key: `end-${run.n}`, item: run })
    run = null
  }
  const acts = items.filter((item) => item.kind === 'act')
  let newest = head?.run ?? null
  items.forEach((item, at) => {
    // Changed files and end of a run stand before a later act.
    if (item.kind === 'run' || (item.kind === 'act' && isOver(run, item)) || isAfterwordOf(run, item)) end()
    if (item.kind === 'run') {
      run = item
      newest = item.run
    }
    if (!marked && item.n > seen) {
      // A mark above the first row would mean nothing.
      if (rows.length > 0) rows.push({ kind: 'new', key: 'new' })
      marked = true
    }
    const undone = item.kind === 'files' ? undoneBy(item, acts) : null
    const last = at === items.length - 1
    const afterword = labelOf(item, items[at - 1], newest)
    const row: TranscriptRowData = { kind: 'item', key: `${item.n}`, item, last, undone, afterword }
    if (item.kind === 'files' && !item.afterword) changed.push(row)
    else rows.push(row)
  })
  end()
  return rows
}

/** An act may happen in a working copy while a run is active there. */
const isOver = (run: RunItem | null, { n }: ActItem): boolean => run === null || (run.state === 'ended' && run.seq < n)

const isAfterwordOf = (run: RunItem | null, item: Item): boolean =>
  item.afterword === true && run?.state === 'ended' && run.run === item.run

function labelOf(item: Item, before: Item | undefined, newest: Item['run']): 'this' | 'earlier' | null {
  if (!item.afterword || (before?.afterword && before.run === item.run)) return null
  return item.run === newest ? 'this' : 'earlier'
}

/** Returns the newest later act that concerns all changed paths, if it undid them. */
function undoneBy({ n, place, files, counts }: FilesItem, acts: readonly ActItem[]): ActItem | null {
  const all = counts.created + counts.modified + counts.deleted
  const about = acts.findLast(
    (act) =>
      act.n > n && act.place === place && act.count >= all && files.every(({ path }) => act.paths.includes(path)),
  )
  return about?.what === 'undone' ? about : null
}

/** Estimates the height of a row in px. The real height is measured when the row is rendered. */
export function guessHeight(row: TranscriptRowData | undefined): number {
  if (!row || row.kind === 'new') return 32
  if (row.kind === 'end') return 48
  switch (row.item.kind) {
    case 'run':
      return 104
    case 'message':
      return 40 + Math.ceil(row.item.text.length / 96) * 22
    case 'question':
      return 140
    case 'plan':
      return 40 + row.item.entries.length * 24
    default:
      return 30
  }
}
