import type { ActItem, FilesItem, Item, RunItem } from '../../src/model/items.ts'

/** What the transcript shows, one under the other. */
export type Row =
  | {
      readonly kind: 'item'
      readonly key: string
      readonly item: Item
      readonly last: boolean
      /** Of what a run changed: the act that took it all back, if that is how it stands now. */
      readonly undone: ActItem | null
    }
  /** How a run ended, after all that belongs to it. */
  | { readonly kind: 'end'; readonly key: string; readonly item: RunItem }
  /** What follows came since one last looked. */
  | { readonly kind: 'new'; readonly key: string }

/**
 * `seen` is the log's head when one was here before; 0 for never, and then nothing is marked. `head` is the run that the
 * items begin within: it has its end here. Its beginning stands with what it said first, which is not loaded yet.
 */
export function rowsOf(items: readonly Item[], seen: number, head: RunItem | null): Row[] {
  const rows: Row[] = []
  let run = head
  let marked = seen === 0 || (items.at(-1)?.n ?? 0) <= seen
  // What a run changed stands after what it did, though it is known from its first change on.
  let changed: Row[] = []
  const end = (): void => {
    rows.push(...changed)
    changed = []
    if (run?.state === 'ended') rows.push({ kind: 'end', key: `end-${run.n}`, item: run })
    run = null
  }
  const acts = items.filter((item) => item.kind === 'act')
  items.forEach((item, at) => {
    // What a run changed and its end stand before an act that came after it.
    if (item.kind === 'run' || (item.kind === 'act' && isOver(run, item))) end()
    if (item.kind === 'run') run = item
    if (!marked && item.n > seen) {
      // At the very top of what is loaded it would say nothing.
      if (rows.length > 0) rows.push({ kind: 'new', key: 'new' })
      marked = true
    }
    const undone = item.kind === 'files' ? undoneBy(item, acts) : null
    const row: Row = { kind: 'item', key: `${item.n}`, item, last: at === items.length - 1, undone }
    if (item.kind === 'files') changed.push(row)
    else rows.push(row)
  })
  end()
  return rows
}

/** Others may write in a place while a run goes on there. */
const isOver = (run: RunItem | null, { n }: ActItem): boolean => run === null || (run.state === 'ended' && run.seq < n)

/** The newest act after it that was about all its paths, where that took them back. */
function undoneBy({ n, place, files, counts }: FilesItem, acts: readonly ActItem[]): ActItem | null {
  const all = counts.created + counts.modified + counts.deleted
  const about = acts.findLast(
    (act) =>
      act.n > n && act.place === place && act.count >= all && files.every(({ path }) => act.paths.includes(path)),
  )
  return about?.what === 'undone' ? about : null
}

/** A first guess at the height, in px; the true one is measured when the row is shown. */
export function guessHeight(row: Row | undefined): number {
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
