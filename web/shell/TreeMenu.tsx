import { usePage } from '../data/use-page.ts'
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
    attempt(`${name} was not closed`, () => page.call('sessions.close', { workspace: page.state().workspaceId!, id }))
  const entries: MenuEntry[] = [
    ...(noun === 'space'
      ? [{ label: 'New project ...', act: () => overlay.set({ kind: 'project', space: id, name }) }]
      : []),
    { label: 'Rename ...', act: () => overlay.set({ kind: 'rename', noun, id, name }) },
    ...(closable ? [{ label: 'Close (end its run and its agents)', act: () => void close() }] : []),
    { label: 'Archive', act: () => void archive(page, noun, [{ id, name }]) },
    { label: 'Delete ...', act: () => overlay.set({ kind: 'delete', noun, id, name }), danger: true },
  ]
  return <Menu label={`More for ${noun} ${name}`} entries={entries} />
}
