import type { WorkspaceView } from '../../src/model/events/workspace-log.ts'
import type { Project } from '../../src/model/tree.ts'
import { overlay } from '../data/overlay.ts'
import type { PageStore } from '../data/page-state.ts'
import { attempt, say } from '../data/toasts.ts'
import { texts } from '../texts/texts.ts'
import { download } from '../ui/download.ts'
import type { MenuEntry } from '../ui/Menu.tsx'

/** Returns the menu entries of a working copy. A project in the Space's own folder has none. */
export function placeEntries(page: PageStore, id: string): MenuEntry[] {
  const { workspace } = page.state()
  const project = workspace?.projects[id]
  if (!workspace || !project || project.place.kind === 'direct' || project.place.state === 'removed') return []
  const labels = texts.places.menu
  const { name } = project
  const ready = project.place.state === 'ready'
  return [
    ...(ready
      ? [
          { label: labels.apply, act: () => beginApply(workspace, project) },
          { label: labels.patch, act: () => void exportPatch(page, id, name) },
        ]
      : []),
    ...(ready && project.place.kind === 'worktree'
      ? [{ label: labels.branch, act: () => overlay.set({ kind: 'place-branch', project: id, name }) }]
      : []),
    { label: labels.remove, act: () => overlay.set({ kind: 'place-remove', project: id, name }), danger: true },
  ]
}

/** Opens the plan that applies a working copy to the Space's folder. */
export function beginApply(workspace: WorkspaceView, project: Project): void {
  const labels = texts.plans.apply
  const target = Object.values(workspace.projects).find(
    ({ space, place }) => space === project.space && place.kind === 'direct',
  )
  if (!target) return say(labels.noTarget, { problem: true })
  overlay.set({
    kind: 'plan',
    project: target.id,
    request: { kind: 'apply', from: project.id },
    title: labels.title(project.name, workspace.spaces[project.space]?.name ?? ''),
  })
}

/** Downloads the changes of a working copy as a patch. */
export function exportPatch(page: PageStore, project: string, name: string): Promise<void> {
  const labels = texts.places.export
  return attempt(labels.failed, async () => {
    const workspace = page.state().workspaceId!
    const { patch } = await page.call('places.export', { workspace, project, as: 'patch' })
    if (!patch) return say(labels.nothing)
    download(`${name.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-') || 'changes'}.patch`, patch, 'text/x-patch')
  })
}
