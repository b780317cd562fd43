import type { Project } from '../../src/model/tree.ts'
import type { WorkspaceView } from '../../src/model/workspace-log.ts'
import { overlay } from '../shell/overlay.ts'
import { say } from '../shell/toasts.ts'
import { texts } from '../texts/texts.ts'

/** A project that stands for the Space's own folder, where an apply goes to. */
export const ownFolderOf = (workspace: WorkspaceView, space: string): Project | undefined =>
  Object.values(workspace.projects).find((each) => each.space === space && each.place.kind === 'direct')

/** Shows what applying a project's place to the Space's folder would write. */
export function beginApply(workspace: WorkspaceView, project: Project): void {
  const words = texts.plans.apply
  const target = ownFolderOf(workspace, project.space)
  if (!target) return say(words.noTarget, { problem: true })
  overlay.set({
    kind: 'plan',
    project: target.id,
    request: { kind: 'apply', from: project.id },
    title: words.title(project.name, workspace.spaces[project.space]?.name ?? ''),
  })
}
