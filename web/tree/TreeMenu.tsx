import { archive } from '../data/archive.ts'
import { overlay } from '../data/overlay.ts'
import { attempt } from '../data/toasts.ts'
import { usePage } from '../data/use-page.ts'
import { placeEntries } from '../places/entries.ts'
import { texts } from '../texts/texts.ts'
import type { TreeNoun } from '../texts/words/nouns.ts'
import { Menu, type MenuEntry } from '../ui/Menu.tsx'

interface Props {
  readonly noun: TreeNoun
  readonly id: string
  readonly name: string
  /** Adds "End session" to the menu. */
  readonly closable?: boolean
}

/** The menu of a Space, project or session. */
export function TreeMenu({ noun, id, name, closable = false }: Props) {
  const page = usePage()
  const close = () =>
    attempt(texts.tree.notClosed(name), () => page.call('sessions.close', { workspace: page.state().workspaceId!, id }))
  const entries: MenuEntry[] = [
    ...(noun === 'space'
      ? [
          { label: texts.tree.menu.newProject, act: () => overlay.set({ kind: 'project', space: id, name }) },
          { label: texts.places.menu.rules, act: () => overlay.set({ kind: 'file-rules', space: id, name }) },
          { label: texts.tree.menu.secrets, act: () => overlay.set({ kind: 'secrets', space: id }) },
          { label: texts.tree.menu.environment, act: () => overlay.set({ kind: 'environment', space: id }) },
        ]
      : []),
    ...(noun === 'project' ? placeEntries(page, id) : []),
    { label: texts.tree.menu.rename, act: () => overlay.set({ kind: 'rename', noun, id, name }) },
    ...(closable ? [{ label: texts.tree.menu.close, act: () => void close() }] : []),
    { label: texts.tree.menu.archive, act: () => void archive(page, noun, [{ id, name }]) },
    { label: texts.tree.menu.delete, act: () => overlay.set({ kind: 'delete', noun, id, name }), danger: true },
  ]
  return <Menu label={texts.tree.menu.title(noun, name)} entries={entries} />
}
