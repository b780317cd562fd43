import type { Page } from '../data/page-store.ts'
import { overlay } from '../shell/overlay.ts'
import { texts } from '../texts/texts.ts'
import type { MenuEntry } from '../ui/Menu.tsx'
import { beginApply } from './apply.ts'
import { exportPatch } from './export.ts'

/** What can be done with a place of a project's own; nothing with the Space's folder. */
export function placeEntries(page: Page, id: string): MenuEntry[] {
  const { workspace } = page.state()
  const project = workspace?.projects[id]
  if (!workspace || !project || project.place.kind === 'direct' || project.place.state === 'removed') return []
  const words = texts.places.menu
  const { name } = project
  const ready = project.place.state === 'ready'
  return [
    ...(ready
      ? [
          { label: words.apply, act: () => beginApply(workspace, project) },
          { label: words.patch, act: () => void exportPatch(page, id, name) },
        ]
      : []),
    ...(ready && project.place.kind === 'worktree'
      ? [{ label: words.branch, act: () => overlay.set({ kind: 'place-branch', project: id, name }) }]
      : []),
    { label: words.remove, act: () => overlay.set({ kind: 'place-remove', project: id, name }), danger: true },
  ]
}
