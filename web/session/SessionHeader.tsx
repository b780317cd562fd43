import { Link } from '@tanstack/react-router'
import { GitBranch, PanelRight, Plus } from 'lucide-react'
import { memo, useMemo } from 'react'
import type { Session } from '../../src/model/tree.ts'
import { useSpaceDetail } from '../data/queries.ts'
import { useWorkspace } from '../data/use-page.ts'
import { OthersWaiting } from '../inbox/OthersWaiting.tsx'
import { ApplyButton } from '../places/ApplyButton.tsx'
import { PlaceChip } from '../places/PlaceChip.tsx'
import { useNewSession } from '../shell/SpaceRows.tsx'
import { TreeMenu } from '../shell/TreeMenu.tsx'
import { texts } from '../texts/texts.ts'
import { baseName } from '../ui/format.ts'
import { Problem } from '../ui/Problem.tsx'
import { StateDot } from '../ui/StateDot.tsx'

interface Props {
  readonly row: Session
  readonly panel: boolean
  readonly onPanel: () => void
}

/** Where one is: the project's sessions as tabs, and the place their files are in. */
export const SessionHeader = memo(function SessionHeader({ row, panel, onPanel }: Props) {
  const workspace = useWorkspace()
  const project = workspace.projects[row.project]
  const space = workspace.spaces[row.space]
  const create = useNewSession(row.project)
  const tabs = useMemo(
    () =>
      Object.values(workspace.sessions)
        .filter((each) => each.project === row.project && (each.archivedAt === null || each.id === row.id))
        .sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1)),
    [workspace.sessions, row.project, row.id],
  )
  const path = project?.place.path ?? space?.folder ?? ''
  return (
    <header className="session-head">
      <h1 className="hidden">{row.name}</h1>
      <nav className="tabs" aria-label={texts.session.header.tabs(project?.name)}>
        {tabs.map((each) => (
          <Link
            key={each.id}
            to="/s/$session"
            params={{ session: each.id }}
            className="tab"
            activeProps={{ className: 'tab chosen', 'aria-current': 'page', ref: intoView }}
            title={each.name}
          >
            <StateDot state={each.state} />
            <span className="cut">{each.name}</span>
          </Link>
        ))}
      </nav>
      <button
        type="button"
        className="btn quiet icon"
        aria-label={texts.session.header.newSession}
        title={texts.tree.newSession}
        disabled={create.pending}
        onClick={() => create.run()}
      >
        <Plus aria-hidden />
      </button>
      <span className="grow" />
      <div className="place">
        <OthersWaiting session={row.id} />
        <span className="cut" title={path}>
          {space?.kind === 'blank' ? texts.session.header.blank : baseName(path)}
        </span>
        {space?.state === 'missing' && <span className="place-missing">{texts.session.header.missing}</span>}
        {project && project.place.kind !== 'direct' ? <PlaceChip project={project} /> : <Branch space={row.space} />}
        {project && project.place.kind !== 'direct' && <ApplyButton project={project} />}
        <TreeMenu noun="session" id={row.id} name={row.name} closable={row.state !== 'closed'} />
        <button
          type="button"
          className="btn quiet icon"
          aria-pressed={panel}
          aria-label={panel ? texts.files.panel.hide : texts.files.panel.show}
          title={panel ? texts.files.panel.hide : texts.files.panel.show}
          onClick={onPanel}
        >
          <PanelRight aria-hidden />
        </button>
      </div>
      <Problem error={create.problem} />
    </header>
  )
})

function Branch({ space }: { space: string }) {
  const branch = useSpaceDetail(space).data?.branch
  if (!branch) return null
  return (
    <span className="branch" title={texts.session.header.branch(branch)}>
      <GitBranch className="glyph" aria-hidden />
      <span className="cut">{branch}</span>
    </span>
  )
}

const intoView = (tab: HTMLElement | null): void => tab?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
