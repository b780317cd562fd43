import { FolderInput } from 'lucide-react'
import type { Project } from '../../src/model/tree.ts'
import { useWorkspace } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { beginApply } from './apply.ts'

/** Brings what a project did in its own place to the Space's folder, after a look at it. */
export function ApplyButton({ project }: { project: Project }) {
  const workspace = useWorkspace()
  const words = texts.plans.apply
  const title = words.buttonNote(workspace.spaces[project.space]?.name ?? '')
  return (
    <button
      type="button"
      className="btn apply-button"
      title={title}
      disabled={project.place.state !== 'ready'}
      onClick={() => beginApply(workspace, project)}
    >
      <FolderInput aria-hidden />
      <span className="send-word">{words.button}</span>
    </button>
  )
}
