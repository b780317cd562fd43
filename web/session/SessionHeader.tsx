import { Link } from '@tanstack/react-router'
import { GitBranch, PanelRight, Plus } from 'lucide-react'
import { memo, useMemo } from 'react'
import type { Session } from '../../src/model/tree.ts'
import { useNewSession } from '../data/new-session.ts'
import { useSpaceDetail } from '../data/queries.ts'
import { useWorkspace } from '../data/use-page.ts'
import { ApplyButton } from '../places/ApplyButton.tsx'
import { MachineNote } from '../places/MachineNote.tsx'
import { PlaceChip } from '../places/PlaceChip.tsx'
import { baseName } from '../texts/format.ts'
import { texts } from '../texts/texts.ts'
import { TreeMenu } from '../tree/TreeMenu.tsx'
import { IconButton } from '../ui/Button.tsx'
import { Problem } from '../ui/Problem.tsx'
import { StateDot } from '../ui/StateDot.tsx'
import { OthersWaiting } from './questions/OthersWaiting.tsx'

interface Props {
  readonly row: Session
  readonly panel: boolean
  readonly onPanel: () => void
}

/** The head of a session: tabs of the project's sessions, and the working copy of their files. */
export const SessionHeader = memo(function SessionHeader({ row, panel, onPanel }: Props) {
  const create = useNewSession(row.project)
  const panelLabel = panel ? texts.files.panel.hide : texts.files.panel.show
  return (
    <header className="session-head">
      <h1 className="hidden">{row.name}</h1>
      <Tabs row={row} />
      <IconButton
        icon={Plus}
        label={texts.session.header.newSession}
        title={texts.tree.newSession}
        disabled={create.pending}
        onClick={() => create.run()}
      />
      <span className="grow" />
      <div className="place">
        <OthersWaiting session={row.id} />
        <WorkingCopy row={row} />
        <TreeMenu noun="session" id={row.id} name={row.name} closable={row.state !== 'closed'} />
        <IconButton icon={PanelRight} label={panelLabel} aria-pressed={panel} onClick={onPanel} />
      </div>
      <Problem error={create.problem} />
    </header>
  )
})

function Tabs({ row }: { row: Session }) {
  const { sessions, projects } = useWorkspace()
  const tabs = useMemo(
    () =>
      Object.values(sessions)
        .filter((each) => each.project === row.project && (each.archivedAt === null || each.id === row.id))
        .sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1)),
    [sessions, row.project, row.id],
  )
  return (
    <nav className="tabs" aria-label={texts.session.header.tabs(projects[row.project]?.name)}>
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
  )
}

function WorkingCopy({ row }: { row: Session }) {
  const { projects, spaces } = useWorkspace()
  const project = projects[row.project]
  const space = spaces[row.space]
  const path = project?.place.path ?? space?.folder ?? ''
  const isolated = project !== undefined && project.place.kind !== 'direct'
  return (
    <>
      <span className="cut" title={path}>
        {space?.kind === 'blank' ? texts.session.header.blank : baseName(path)}
      </span>
      {space && <MachineNote space={space} waiting={row.queued > 0} />}
      {space?.state === 'missing' && <span className="place-missing">{texts.session.header.missing}</span>}
      {isolated ? <PlaceChip project={project} /> : <Branch space={row.space} />}
      {isolated && <ApplyButton project={project} />}
    </>
  )
}

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
