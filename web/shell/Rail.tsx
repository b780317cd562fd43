import { Link } from '@tanstack/react-router'
import { FolderPlus, Inbox } from 'lucide-react'
import { useMemo } from 'react'
import { remember } from '../data/memory.ts'
import { treeOf } from '../data/tree.ts'
import { usePage, usePageState, useWorkspace } from '../data/use-page.ts'
import { Choice } from '../ui/Choice.tsx'
import { SpaceRows } from './SpaceRows.tsx'
import './rail.css'

export function Rail({ questions }: { questions: number }) {
  const workspace = useWorkspace()
  const tree = useMemo(() => treeOf(workspace), [workspace])
  return (
    <nav className="rail" aria-label="Workspace">
      <WorkspaceName />
      <Link to="/inbox" className="rail-link" activeProps={{ className: 'rail-link chosen' }}>
        <Inbox className="glyph" aria-hidden />
        <span className="grow">Inbox</span>
        {questions > 0 && (
          <span className="badge" title={`${questions} open`}>
            {questions}
          </span>
        )}
      </Link>
      <div className="rail-tree scroll">
        {tree.map((branch) => (
          <SpaceRows key={branch.space.id} branch={branch} />
        ))}
        {tree.length === 0 && <p className="rail-empty">Your Spaces and sessions will be listed here.</p>}
      </div>
      <Link to="/add" className="rail-link rail-add" activeProps={{ className: 'rail-link rail-add chosen' }}>
        <FolderPlus className="glyph" aria-hidden />
        Add a Space
      </Link>
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
          label="Workspace"
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
