import { usePage } from '../data/use-page.ts'
import { placeEntries } from '../places/entries.ts'
import { texts } from '../texts/texts.ts'
import { Menu, type MenuEntry } from '../ui/Menu.tsx'
import { archive } from './archive.ts'
import type { Noun } from './noun.ts'
import { overlay } from './overlay.ts'
import { attempt } from './toasts.ts'

interface Props {
  readonly noun: Noun
  readonly id: string
  readonly name: string
  /** The session can be ended. */
  readonly closable?: boolean
}

/** What can be done with a thing of the tree. */
export function TreeMenu({ noun, id, name, closable = false }: Props) {
  const page = usePage()
  const close = () =>
    attempt(texts.tree.notClosed(name), () => page.call('sessions.close', { workspace: page.state().workspaceId!, id }))
  const entries: MenuEntry[] = [
    ...(noun === 'space'
      ? [
          { label: texts.tree.menu.newProject, act: () => overlay.set({ kind: 'project', space: id, name }) },
          { label: texts.places.menu.rules, act: () => overlay.set({ kind: 'file-rules', space: id, name }) },
        ]
      : []),
    ...(noun === 'space'
      ? [
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
