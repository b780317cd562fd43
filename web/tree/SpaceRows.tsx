import { Link } from '@tanstack/react-router'
import { Folder, FolderX, Plus } from 'lucide-react'
import { memo } from 'react'
import type { Project, Session } from '../../src/model/tree.ts'
import { recallSeen } from '../data/memory.ts'
import { useNewSession } from '../data/new-session.ts'
import type { SpaceBranch } from '../data/tree.ts'
import { MachineNote } from '../places/MachineNote.tsx'
import { PlaceChip } from '../places/PlaceChip.tsx'
import { texts } from '../texts/texts.ts'
import { IconButton } from '../ui/Button.tsx'
import { Problem } from '../ui/Problem.tsx'
import { StateDot } from '../ui/StateDot.tsx'
import { TreeMenu } from './TreeMenu.tsx'

/** One Space of the sidebar, with its projects and sessions. */
export function SpaceRows({ branch: { space, projects } }: { branch: SpaceBranch }) {
  const Icon = space.state === 'missing' ? FolderX : Folder
  return (
    <section className="space" aria-label={texts.tree.space(space.name)}>
      <header className="space-head">
        <Icon className="glyph" aria-hidden />
        <h2 className="cut grow" title={space.folder}>
          {space.name}
        </h2>
        <TreeMenu noun="space" id={space.id} name={space.name} />
      </header>
      <MachineNote space={space} />
      {space.state === 'missing' && <p className="rail-note">{texts.tree.missing(space.folder)}</p>}
      {projects.map(({ project, sessions }) => (
        <ProjectRows key={project.id} project={project} sessions={sessions} />
      ))}
    </section>
  )
}

function ProjectRows({ project, sessions }: { project: Project; sessions: readonly Session[] }) {
  const create = useNewSession(project.id)
  return (
    <div>
      <header className="project-head">
        <h3 className="cut grow">{project.name}</h3>
        {project.place.kind !== 'direct' && <PlaceChip project={project} />}
        <TreeMenu noun="project" id={project.id} name={project.name} />
        <IconButton
          icon={Plus}
          label={texts.tree.newSessionIn(project.name)}
          className="small"
          title={texts.tree.newSession}
          disabled={create.pending}
          onClick={() => create.run()}
        />
      </header>
      <Problem error={create.problem} />
      <ul>
        {sessions.map((session) => (
          <li key={session.id}>
            <SessionLink session={session} />
          </li>
        ))}
      </ul>
    </div>
  )
}

/** Renders again only when its own row changes: in a large workspace one of hundreds changes many times a second. */
const SessionLink = memo(function SessionLink({ session }: { session: Session }) {
  return (
    <Link
      to="/s/$session"
      params={{ session: session.id }}
      className="rail-link session-link"
      activeProps={{ className: 'rail-link session-link chosen', 'aria-current': 'page' }}
    >
      {({ isActive }) => {
        const unread = !isActive && session.head > recallSeen(session.id)
        return (
          <>
            <StateDot state={session.state} />
            <span className={`cut grow ${unread ? 'unread' : ''}`} title={session.name}>
              {session.name}
            </span>
            {session.changed > 0 && (
              <span className="changed" title={texts.files.lastRun(session.changed)}>
                <span aria-hidden>±{session.changed}</span>
                <span className="hidden">{texts.files.lastRun(session.changed)}</span>
              </span>
            )}
            {session.queued > 0 && (
              <span className="dim" title={texts.tree.queued(session.queued)}>
                +{session.queued}
              </span>
            )}
            {session.questions > 0 && (
              <span className="badge" title={texts.tree.open(session.questions)}>
                {session.questions}
              </span>
            )}
            {unread && session.questions === 0 && (
              <span className="news">
                <span className="hidden">{texts.tree.news}</span>
              </span>
            )}
          </>
        )
      }}
    </Link>
  )
})
