import { closeTexts, type Draft, freshItem } from './draft.ts'
import type { EventOf } from './events.ts'
import type { ActItem, FilesItem } from './items.ts'

/** What becomes of files, as people see it: one item for each run that changed something, one for each act. */
export const FILES = {
  'snapshot.taken': (draft: Draft, { data, run }: EventOf<'snapshot.taken'>) => {
    // One from before histories had places belongs to no run, and nothing can be asked about it.
    if (data.run === null || run === null) return
    const { place, from, n, counts, files } = data
    const newest = draft.view.run?.id ?? draft.view.lastRun?.id
    if (newest === data.run) draft.view.changed = counts.created + counts.modified + counts.deleted
    const item = filesOf(draft)
    if (item) draft.put({ ...item, place, before: from, after: n, counts, files, seq: draft.event.seq })
  },
  'files.conflicted': (draft: Draft, { data, seq }: EventOf<'files.conflicted'>) => {
    const item = filesOf(draft)
    if (!item) return
    const { session, run } = data.other
    const known = item.conflicts.find((each) => each.run === run)
    const paths = [...new Set([...(known?.paths ?? []), ...data.paths])].sort()
    const others = item.conflicts.filter((each) => each.run !== run)
    draft.put({ ...item, conflicts: [...others, { session, run, paths }], place: item.place || data.place, seq })
  },
  'files.restored': (draft: Draft, { data }: EventOf<'files.restored'>) =>
    putAct(draft, data.how === 'undo' ? 'undone' : 'restored', data),
  'files.taken': (draft: Draft, { data }: EventOf<'files.taken'>) => putAct(draft, 'taken', data),
  'files.applied': (draft: Draft, { data }: EventOf<'files.applied'>) => putAct(draft, 'applied', data),
}

/** The item of the event's run, made where this is the first that is heard of its files; null where it is not at hand. */
function filesOf(draft: Draft): FilesItem | null {
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

function putAct(draft: Draft, what: ActItem['what'], data: OfAct): void {
  closeTexts(draft)
  const { act, by, place, before, after, count, paths } = data
  const project = data.project ?? null
  // It happened from outside: the run that is on has no part in it.
  draft.put({ ...freshItem(draft), run: null, kind: 'act', act, by, what, place, before, after, count, paths, project })
}
