import { FolderInput } from 'lucide-react'
import type { Project } from '../../src/model/tree.ts'
import { useWorkspace } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { beginApply } from './entries.ts'

/** Opens the plan that applies a working copy to the Space's folder. */
export function ApplyButton({ project }: { project: Project }) {
  const workspace = useWorkspace()
  const labels = texts.plans.apply
  const title = labels.buttonNote(workspace.spaces[project.space]?.name ?? '')
  return (
    <Button
      icon={FolderInput}
      className="apply-button"
      title={title}
      disabled={project.place.state !== 'ready'}
      onClick={() => beginApply(workspace, project)}
    >
      <span className="send-word">{labels.button}</span>
    </Button>
  )
}
