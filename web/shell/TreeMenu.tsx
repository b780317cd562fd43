import { lazy, Suspense, useState } from 'react'
import { usePage, useSubmit, useWorkspaceId } from '../data/use-page.ts'
import { Menu, type MenuEntry } from '../ui/Menu.tsx'

const DeleteDialog = lazy(() => import('./DeleteDialog.tsx').then((file) => ({ default: file.DeleteDialog })))
const NameDialog = lazy(() => import('./NameDialog.tsx').then((file) => ({ default: file.NameDialog })))

export type Noun = 'space' | 'project' | 'session'

interface Props {
  readonly noun: Noun
  readonly id: string
  readonly name: string
  /** The session can be ended. */
  readonly closable?: boolean
}

/** What can be done with a thing of the tree. */
export function TreeMenu({ noun, id, name, closable = false }: Props) {
  const [dialog, setDialog] = useState<'rename' | 'project' | 'delete' | null>(null)
  const page = usePage()
  const workspace = useWorkspaceId()
  const archive = useSubmit(() => page.call(`${noun}s.archive`, { workspace, id }))
  const close = useSubmit(() => page.call('sessions.close', { workspace, id }))
  const entries: MenuEntry[] = [
    ...(noun === 'space' ? [{ label: 'New project ...', act: () => setDialog('project') }] : []),
    { label: 'Rename ...', act: () => setDialog('rename') },
    ...(closable ? [{ label: 'Close (end its run and its agents)', act: () => close.run() }] : []),
    { label: 'Archive', act: () => archive.run() },
    { label: 'Delete ...', act: () => setDialog('delete'), danger: true },
  ]
  const done = (): void => setDialog(null)
  const problem = archive.problem ?? close.problem
  return (
    <>
      <Menu label={`More for ${noun} ${name}`} entries={entries} />
      <Suspense>
        {dialog === 'rename' && (
          <NameDialog
            title={`Rename ${noun}`}
            name={name}
            save={(next) => page.call(`${noun}s.rename`, { workspace, id, name: next })}
            onClose={done}
          />
        )}
        {dialog === 'project' && (
          <NameDialog
            title={`New project in ${name}`}
            name=""
            save={(next) => page.call('projects.create', { workspace, space: id, name: next })}
            onClose={done}
          />
        )}
        {dialog === 'delete' && <DeleteDialog noun={noun} id={id} name={name} onClose={done} />}
      </Suspense>
      {problem && (
        <span className="hidden" role="alert">
          {problem.message}
        </span>
      )}
    </>
  )
}
