import { lazy, Suspense, useEffect } from 'react'
import { closeOverlay, type Overlay, overlay } from '../data/overlay.ts'
import { usePage, useWorkspaceId } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { useCell } from '../ui/cell.ts'
import { onDemand } from '../ui/on-demand.tsx'

const InboxDrawer = lazy(() => import('../inbox/InboxDrawer.tsx').then((file) => ({ default: file.InboxDrawer })))
const KeysDialog = lazy(() => import('./KeysDialog.tsx').then((file) => ({ default: file.KeysDialog })))
const SettingsDialog = lazy(() => import('./SettingsDialog.tsx').then((file) => ({ default: file.SettingsDialog })))
const RulesDialog = lazy(() => import('../rules/RulesDialog.tsx').then((file) => ({ default: file.RulesDialog })))
const SecretsDialog = lazy(() =>
  import('../secrets/SecretsDialog.tsx').then((file) => ({ default: file.SecretsDialog })),
)
const EnvironmentDialog = lazy(() =>
  import('../environment/EnvironmentDialog.tsx').then((file) => ({ default: file.EnvironmentDialog })),
)
const GivenDialog = lazy(() => import('../environment/GivenDialog.tsx').then((file) => ({ default: file.GivenDialog })))
const PlanDialog = lazy(() => import('../plans/PlanView.tsx').then((file) => ({ default: file.PlanDialog })))
const GapsDialog = lazy(() => import('../files/GapsDialog.tsx').then((file) => ({ default: file.GapsDialog })))
const FileRules = lazy(() =>
  import('../places/FileRulesDialog.tsx').then((file) => ({ default: file.FileRulesDialog })),
)
const RemovePlace = lazy(() => import('../places/RemovePlace.tsx').then((file) => ({ default: file.RemovePlace })))
const UnpauseDialog = lazy(() => import('./UnpauseDialog.tsx').then((file) => ({ default: file.UnpauseDialog })))
const DeleteDialog = lazy(() => import('../tree/DeleteDialog.tsx').then((file) => ({ default: file.DeleteDialog })))

const Palette = onDemand(() => import('../palette/Palette.tsx').then((file) => file.Palette))
const NameDialog = onDemand(() => import('../tree/NameDialog.tsx').then((file) => file.NameDialog))
const ProjectDialog = onDemand(() => import('../places/ProjectDialog.tsx').then((file) => file.ProjectDialog))
const BranchDialog = onDemand(() => import('../places/BranchDialog.tsx').then((file) => file.BranchDialog))

/** Overlays in which people type at once. */
const TYPED_IN = [Palette, NameDialog, ProjectDialog, BranchDialog]

/** Delay of the downloads in advance, so that the first view loads first. ms. */
const IN_ADVANCE_AFTER_MS = 2_000

/** The current overlay, loaded on first use. */
export function Overlays() {
  const shown = useCell(overlay)
  useEffect(() => {
    // Keys typed right after the shortcut of an overlay must reach it. A failure shows when the overlay is opened.
    const load = () => TYPED_IN.forEach((view) => void view.load().catch(() => undefined))
    const timer = setTimeout(load, IN_ADVANCE_AFTER_MS)
    return () => clearTimeout(timer)
  }, [])
  return <Suspense>{shown && <Shown shown={shown} />}</Suspense>
}

function Shown({ shown }: { shown: Overlay }) {
  const page = usePage()
  const workspace = useWorkspaceId()
  switch (shown.kind) {
    case 'palette':
      return <Palette />
    case 'keys':
      return <KeysDialog onClose={closeOverlay} />
    case 'settings':
      return <SettingsDialog onClose={closeOverlay} />
    case 'inbox':
      return <InboxDrawer onClose={closeOverlay} />
    case 'unpause':
      return <UnpauseDialog onClose={closeOverlay} />
    case 'rules':
      return <RulesDialog onClose={closeOverlay} />
    case 'secrets':
      return <SecretsDialog space={shown.space} onClose={closeOverlay} />
    case 'environment':
      return <EnvironmentDialog space={shown.space} onClose={closeOverlay} />
    case 'given':
      return <GivenDialog run={shown.run} onClose={closeOverlay} />
    case 'rename': {
      const { noun, id, name } = shown
      const save = (next: string) => page.call(`${noun}s.rename`, { workspace, id, name: next })
      return <NameDialog title={texts.tree.name.rename(noun)} name={name} save={save} onClose={closeOverlay} />
    }
    case 'project':
      return <ProjectDialog space={shown.space} name={shown.name} onClose={closeOverlay} />
    case 'file-rules':
      return <FileRules space={shown.space} name={shown.name} onClose={closeOverlay} />
    case 'plan': {
      const { project, request, title, session } = shown
      // Another plan starts without decisions.
      return (
        <PlanDialog
          key={JSON.stringify([project, request])}
          project={project}
          request={request}
          title={title}
          session={session}
          onClose={closeOverlay}
        />
      )
    }
    case 'gaps':
      return <GapsDialog project={shown.project} space={shown.space} n={shown.n} onClose={closeOverlay} />
    case 'place-remove':
      return <RemovePlace project={shown.project} name={shown.name} onClose={closeOverlay} />
    case 'place-branch':
      return <BranchDialog project={shown.project} name={shown.name} onClose={closeOverlay} />
    case 'delete':
      return <DeleteDialog noun={shown.noun} id={shown.id} name={shown.name} onClose={closeOverlay} />
  }
}
