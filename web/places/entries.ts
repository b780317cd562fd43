import { overlay } from '../data/overlay.ts'
import type { PageStore } from '../data/page-state.ts'
import { texts } from '../texts/texts.ts'
import type { MenuEntry } from '../ui/Menu.tsx'
import { beginApply } from './apply.ts'
import { exportPatch } from './export.ts'

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
