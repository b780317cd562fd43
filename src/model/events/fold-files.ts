import { closeTexts, type FoldDraft, freshItem } from './draft.ts'
import type { EventOf } from './events.ts'
import { agentOfEnded, foldAfterword } from './fold-afterwords.ts'
import type { ActItem, FilesItem } from './items.ts'

/** Handlers of file events: one item for each run that changed files, one for each act. */
export const FILES = {
  'snapshot.taken': (draft: FoldDraft, { data, run }: EventOf<'snapshot.taken'>) => {
    // An event of an old log, from before histories had places, names no run and no snapshots to show.
    if (data.run === null || run === null) return
    const { place, from, n, counts, files } = data
    const newest = draft.view.run?.id ?? draft.view.lastRun?.id
    if (newest === data.run) draft.view.changed = counts.created + counts.modified + counts.deleted
    const put = (to: FoldDraft) => {
      const item = filesOf(to)
      if (item) to.put({ ...item, place, before: from, after: n, counts, files, seq: draft.event.seq })
    }
    const agent = data.afterword ? agentOfEnded(draft, run) : null
    if (agent) foldAfterword(draft, agent, run, put)
    else put(draft)
  },
  'files.conflicted': (draft: FoldDraft, { data, seq }: EventOf<'files.conflicted'>) => {
    const item = filesOf(draft)
    if (!item) return
    const { session, run } = data.other
    const known = item.conflicts.find((each) => each.run === run)
    const paths = [...new Set([...(known?.paths ?? []), ...data.paths])].sort()
    const others = item.conflicts.filter((each) => each.run !== run)
    draft.put({ ...item, conflicts: [...others, { session, run, paths }], place: item.place || data.place, seq })
  },
  'files.restored': (draft: FoldDraft, { data }: EventOf<'files.restored'>) =>
    putAct(draft, data.how === 'undo' ? 'undone' : 'restored', data),
  'files.taken': (draft: FoldDraft, { data }: EventOf<'files.taken'>) => putAct(draft, 'taken', data),
  'files.applied': (draft: FoldDraft, { data }: EventOf<'files.applied'>) => putAct(draft, 'applied', data),
}

/** Returns the files item of the event's run, new for the first event of its files; null when it is not loaded. */
function filesOf(draft: FoldDraft): FilesItem | null {
  const { run } = draft.event
  const known = draft.view.index.files
  if (known && known.run === run) {
    const item = draft.get(known.n)
    return item?.kind === 'files' ? item : null
  }
  const fresh = { ...freshItem(draft), run }
  draft.view.index = { ...draft.view.index, files: { n: fresh.n, run } }
  const counts = { created: 0, modified: 0, deleted: 0 }
  return { ...fresh, kind: 'files', place: '', before: 0, after: 0, counts, files: [], conflicts: [] }
}

type OfAct = EventOf<'files.taken'>['data'] & Partial<Pick<EventOf<'files.applied'>['data'], 'project'>>

function putAct(draft: FoldDraft, what: ActItem['what'], data: OfAct): void {
  closeTexts(draft)
  const { act, by, place, before, after, count, paths } = data
  const project = data.project ?? null
  // The act came from outside: the active run has no part in it.
  draft.put({ ...freshItem(draft), run: null, kind: 'act', act, by, what, place, before, after, count, paths, project })
}
