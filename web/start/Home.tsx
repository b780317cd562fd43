import { Navigate } from '@tanstack/react-router'
import { MessageSquarePlus } from 'lucide-react'
import { lazy, Suspense } from 'react'
import { recall } from '../data/memory.ts'
import { useNewSession } from '../data/new-session.ts'
import { treeOf } from '../data/tree.ts'
import { useWorkspace } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { Empty } from '../ui/Empty.tsx'
import { Problem } from '../ui/Problem.tsx'

const StartForm = lazy(() => import('./StartForm.tsx').then((file) => ({ default: file.StartForm })))

/** The first view: the start form, or the last session. */
export function Home() {
  const workspace = useWorkspace()
  const tree = treeOf(workspace)
  if (tree.length === 0) {
    return (
      <Suspense>
        <StartForm first />
      </Suspense>
    )
  }
  const last = workspace.sessions[recall('session') ?? '']
  if (last && last.archivedAt === null) return <Navigate to="/s/$session" params={{ session: last.id }} replace />
  const newest = tree.flatMap(({ projects }) => projects.flatMap(({ sessions }) => sessions))
  const session = newest.sort((a, b) => b.updatedAt - a.updatedAt)[0]
  if (session) return <Navigate to="/s/$session" params={{ session: session.id }} replace />
  const project = tree.flatMap(({ projects }) => projects)[0]?.project
  return project ? <NoSession project={project.id} name={project.name} /> : <Empty {...texts.start.noProject} />
}

function NoSession({ project, name }: { project: string; name: string }) {
  const create = useNewSession(project)
  return (
    <Empty {...texts.start.noSession}>
      <Button icon={MessageSquarePlus} className="primary" disabled={create.pending} onClick={() => create.run()}>
        {texts.tree.newSessionIn(name)}
      </Button>
      <Problem error={create.problem} />
    </Empty>
  )
}
