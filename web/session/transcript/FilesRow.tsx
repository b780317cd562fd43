import { FileDiff, RotateCcw, TriangleAlert } from 'lucide-react'
import { memo } from 'react'
import type { ActItem, FilesItem } from '../../../src/model/events/items.ts'
import { overlay } from '../../data/overlay.ts'
import { showPanel } from '../../data/panel.ts'
import { usePageState } from '../../data/use-page.ts'
import { ChangeMark } from '../../files/ChangeMark.tsx'
import { clockTime } from '../../texts/format.ts'
import { texts } from '../../texts/texts.ts'
import { Button } from '../../ui/Button.tsx'
import { useSession } from '../session-context.ts'
import './files-row.css'

/** The number of paths in the row. The panel lists all. */
const MOST = 6
const CHANGES = { created: 'created', modified: 'changed', deleted: 'removed' } as const

/** The files that a run changed, with their diffs and an undo. */
export const FilesRow = memo(function FilesRow({ item, undone }: { item: FilesItem; undone: ActItem | null }) {
  const { project } = useSession()
  const { run, counts, files } = item
  const labels = texts.files.item
  const all = counts.created + counts.modified + counts.deleted
  if (all === 0 && item.conflicts.length === 0) return null
  const show = (path: string | null): void => showPanel('files', { run, since: null, path })
  const undo = (): void => {
    if (run === null || project === undefined) return
    const request = { kind: 'undo', of: { kind: 'run', run } } as const
    overlay.set({ kind: 'plan', project, request, title: texts.files.undoTitle.run })
  }
  return (
    <section className="files-row" aria-label={labels.changed(all)}>
      {all > 0 && (
        <p className="row">
          <FileDiff className="glyph" aria-hidden />
          <b className={undone ? 'undone' : 'grow'}>{labels.changed(all)}</b>
          {undone && <span className="faint grow">{labels.undone(undone.by.name, clockTime(undone.at))}</span>}
          <Button label={labels.diff} className="quiet" onClick={() => show(null)} />
          {run !== null && project !== undefined && !undone && (
            <Button label={labels.undo} className="quiet" onClick={undo} />
          )}
        </p>
      )}
      <ul className="files-paths">
        {files.slice(0, MOST).map(({ path, change }) => (
          <li key={path}>
            <button type="button" className="files-path" onClick={() => show(path)}>
              <ChangeMark kind={CHANGES[change]} />
              <bdi className="cut mono">{path.toWellFormed()}</bdi>
            </button>
          </li>
        ))}
      </ul>
      {all > MOST && <p className="faint">{labels.more(all - Math.min(files.length, MOST))}</p>}
      {item.conflicts.map((other) => (
        <Conflict key={`${other.run}`} session={other.session} paths={other.paths} />
      ))}
    </section>
  )
})

function Conflict({ session, paths }: { session: string; paths: readonly string[] }) {
  const name = usePageState((state) => state.workspace?.sessions[session]?.name ?? texts.files.author.elsewhere)
  return (
    <p className="files-conflicts" role="alert">
      <TriangleAlert className="glyph" aria-hidden />
      {texts.files.item.conflicts(name, paths.slice(0, MOST))}
    </p>
  )
}

/** A restore, undo or apply that concerns this session, and its undo. */
export const ActRow = memo(function ActRow({ item }: { item: ActItem }) {
  const { project } = useSession()
  const labels = texts.files.item
  const undo = (): void => {
    if (project === undefined) return
    const request = { kind: 'undo', of: { kind: 'act', act: item.act } } as const
    overlay.set({ kind: 'plan', project, request, title: labels.undoAct })
  }
  return (
    <section className="files-row" aria-label={labels.acts[item.what](item.count)}>
      <p className="row">
        <RotateCcw className="glyph" aria-hidden />
        <b>{labels.acts[item.what](item.count)}</b>
        <span className="faint grow">{labels.by(item.by.name, clockTime(item.at))}</span>
        <Button label={labels.undo} className="quiet" onClick={undo} />
      </p>
      <ul className="files-paths">
        {item.paths.slice(0, MOST).map((path) => (
          <li key={path}>
            <bdi className="cut mono">{path.toWellFormed()}</bdi>
          </li>
        ))}
      </ul>
      {item.count > MOST && <p className="faint">{labels.more(item.count - Math.min(item.paths.length, MOST))}</p>}
    </section>
  )
})
