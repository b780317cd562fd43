import type { WorkspaceView } from '../../src/model/events/workspace-log.ts'
import type { Project } from '../../src/model/tree.ts'
import { overlay } from '../data/overlay.ts'
import { say } from '../data/toasts.ts'
import { texts } from '../texts/texts.ts'

/** Returns a project that works in the Space's own folder: the target of an apply. */
const ownFolderOf = (workspace: WorkspaceView, space: string): Project | undefined =>
  Object.values(workspace.projects).find((each) => each.space === space && each.place.kind === 'direct')

/** Opens the plan that applies a working copy to the Space's folder. */
export function beginApply(workspace: WorkspaceView, project: Project): void {
  const labels = texts.plans.apply
  const target = ownFolderOf(workspace, project.space)
  if (!target) return say(labels.noTarget, { problem: true })
  overlay.set({
    kind: 'plan',
    project: target.id,
    request: { kind: 'apply', from: project.id },
    title: labels.title(project.name, workspace.spaces[project.space]?.name ?? ''),
  })
}
