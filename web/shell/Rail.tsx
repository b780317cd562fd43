import { Link } from '@tanstack/react-router'
import { Archive, FolderPlus, History, Inbox, Search, Settings, SquareKanban } from 'lucide-react'
import { lazy, Suspense, useMemo } from 'react'
import { remember } from '../data/memory.ts'
import { overlay } from '../data/overlay.ts'
import { archivedShown, toggleArchived } from '../data/show-archived.ts'
import { treeOf } from '../data/tree.ts'
import { usePage, usePageState, useWorkspace } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { OlderSessions } from '../tree/OlderSessions.tsx'
import { SpaceRows } from '../tree/SpaceRows.tsx'
import { IconButton } from '../ui/Button.tsx'
import { Choice } from '../ui/Choice.tsx'
import { useCell } from '../ui/cell.ts'
import { COMMAND_KEY } from '../ui/keys.ts'
import './rail.css'

const ArchivedRows = lazy(() => import('../tree/ArchivedRows.tsx').then((file) => ({ default: file.ArchivedRows })))

const CHOSEN = { className: 'rail-link chosen' }

/** The sidebar: views at the top, the tree of Spaces in the middle, settings at the bottom. */
export function Rail({ questions }: { questions: number }) {
  const labels = texts.shell.rail
  return (
    <nav className="rail" aria-label={labels.title}>
      <WorkspaceName />
      <InboxLink questions={questions} />
      <Link to="/board" className="rail-link" activeProps={CHOSEN}>
        <SquareKanban className="glyph" aria-hidden />
        {labels.board}
      </Link>
      <Link to="/history" className="rail-link" activeProps={CHOSEN}>
        <History className="glyph" aria-hidden />
        {texts.timeline.places.title}
      </Link>
      <button
        type="button"
        className="rail-link"
        title={labels.palette}
        onClick={() => overlay.set({ kind: 'palette' })}
      >
        <Search className="glyph" aria-hidden />
        <span className="grow">{labels.paletteShort}</span>
        <kbd aria-hidden>{COMMAND_KEY} K</kbd>
      </button>
      <Tree />
      <Link to="/add" className="rail-link rail-add" activeProps={{ className: 'rail-link rail-add chosen' }}>
        <FolderPlus className="glyph" aria-hidden />
        {labels.add}
      </Link>
      <Foot />
    </nav>
  )
}

function InboxLink({ questions }: { questions: number }) {
  const label = texts.inbox.drawer.open(questions)
  return (
    <div className="rail-inbox">
      <Link to="/inbox" className="rail-link" activeProps={CHOSEN}>
        <Inbox className="glyph" aria-hidden />
        {texts.shell.rail.inbox}
      </Link>
      {questions > 0 && (
        <button
          type="button"
          className="rail-count"
          aria-label={label}
          title={label}
          onClick={() => overlay.set({ kind: 'inbox' })}
        >
          <span className="badge">{questions}</span>
        </button>
      )}
    </div>
  )
}

function Tree() {
  const workspace = useWorkspace()
  const archived = useCell(archivedShown)
  const tree = useMemo(() => treeOf(workspace), [workspace])
  return (
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
  )
}

function Foot() {
  const labels = texts.shell.rail
  const archived = useCell(archivedShown)
  return (
    <div className="rail-foot">
      <button type="button" className="rail-link grow" aria-pressed={archived} onClick={toggleArchived}>
        <Archive className="glyph" aria-hidden />
        {archived ? labels.hideArchived : labels.showArchived}
      </button>
      <IconButton icon={Settings} label={labels.settings} onClick={() => overlay.set({ kind: 'settings' })} />
    </div>
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
