import { Link } from '@tanstack/react-router'
import { Archive, FolderPlus, History, Inbox, Search, Settings, SquareKanban } from 'lucide-react'
import { lazy, Suspense, useMemo } from 'react'
import { remember } from '../data/memory.ts'
import { treeOf } from '../data/tree.ts'
import { usePage, usePageState, useWorkspace } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Choice } from '../ui/Choice.tsx'
import { useCell } from '../ui/cell.ts'
import { COMMAND_KEY } from '../ui/keys.ts'
import { OlderSessions } from './OlderSessions.tsx'
import { overlay } from './overlay.ts'
import { SpaceRows } from './SpaceRows.tsx'
import { archivedShown, toggleArchived } from './show-archived.ts'
import './rail.css'

const ArchivedRows = lazy(() => import('./ArchivedRows.tsx').then((file) => ({ default: file.ArchivedRows })))

export function Rail({ questions }: { questions: number }) {
  const workspace = useWorkspace()
  const archived = useCell(archivedShown)
  const tree = useMemo(() => treeOf(workspace), [workspace])
  return (
    <nav className="rail" aria-label={texts.shell.rail.title}>
      <WorkspaceName />
      <div className="rail-inbox">
        <Link to="/inbox" className="rail-link" activeProps={{ className: 'rail-link chosen' }}>
          <Inbox className="glyph" aria-hidden />
          {texts.shell.rail.inbox}
        </Link>
        {questions > 0 && (
          <button
            type="button"
            className="rail-count"
            aria-label={texts.inbox.drawer.open(questions)}
            title={texts.inbox.drawer.open(questions)}
            onClick={() => overlay.set({ kind: 'inbox' })}
          >
            <span className="badge">{questions}</span>
          </button>
        )}
      </div>
      <Link to="/board" className="rail-link" activeProps={{ className: 'rail-link chosen' }}>
        <SquareKanban className="glyph" aria-hidden />
        {texts.shell.rail.board}
      </Link>
      <Link to="/history" className="rail-link" activeProps={{ className: 'rail-link chosen' }}>
        <History className="glyph" aria-hidden />
        {texts.timeline.places.title}
      </Link>
      <button type="button" className="rail-link" onClick={() => overlay.set({ kind: 'palette' })}>
        <Search className="glyph" aria-hidden />
        <span className="grow">{texts.shell.rail.doOrFind}</span>
        <kbd aria-hidden>{COMMAND_KEY} K</kbd>
      </button>
      <div className="rail-tree scroll">
        {tree.map((branch) => (
          <SpaceRows key={branch.space.id} branch={branch} />
        ))}
        {tree.length === 0 && <p className="rail-empty">{texts.shell.rail.empty}</p>}
        <OlderSessions />
        {archived && (
          <Suspense>
            <ArchivedRows />
          </Suspense>
        )}
      </div>
      <Link to="/add" className="rail-link rail-add" activeProps={{ className: 'rail-link rail-add chosen' }}>
        <FolderPlus className="glyph" aria-hidden />
        {texts.shell.rail.add}
      </Link>
      <div className="rail-foot">
        <button type="button" className="rail-link grow" aria-pressed={archived} onClick={toggleArchived}>
          <Archive className="glyph" aria-hidden />
          {archived ? texts.shell.rail.hideArchived : texts.shell.rail.showArchived}
        </button>
        <button
          type="button"
          className="btn quiet icon"
          aria-label={texts.shell.rail.settings}
          title={texts.shell.rail.settings}
          onClick={() => overlay.set({ kind: 'settings' })}
        >
          <Settings aria-hidden />
        </button>
      </div>
    </nav>
  )
}

function WorkspaceName() {
  const page = usePage()
  const workspace = useWorkspace()
  const all = usePageState((state) => state.workspaces).filter(({ archivedAt }) => archivedAt === null)
  const name = workspace.workspace?.name ?? ''
  const choose = (id: string): void => {
    remember('workspace', id)
    location.assign('/')
    void page.start(id)
  }
  return (
    <div className="rail-head">
      <img src="/icon.svg" alt="" width="18" height="18" />
      {all.length > 1 ? (
        <Choice
          label={texts.shell.rail.title}
          value={workspace.workspace?.id ?? ''}
          options={all.map(({ id, name: label }) => ({ value: id, label }))}
          onChoose={choose}
        />
      ) : (
        <h1 className="cut">{name}</h1>
      )}
    </div>
  )
}
