import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { asCarrelError } from '../../src/model/errors.ts'
import type { DeletePreview } from '../../src/model/tree.ts'
import { usePage, useSubmit, useWorkspaceId } from '../data/use-page.ts'
import { Dialog } from '../ui/Dialog.tsx'
import { count } from '../ui/format.ts'
import { Problem } from '../ui/Problem.tsx'
import type { Noun } from './noun.ts'

interface Props {
  readonly noun: Noun
  readonly id: string
  readonly name: string
  readonly onClose: () => void
}

/** Says what would go, asks once, and does exactly that. */
export function DeleteDialog({ noun, id, name, onClose }: Props) {
  const page = usePage()
  const workspace = useWorkspaceId()
  const navigate = useNavigate()
  const preview = useQuery({
    queryKey: ['delete', noun, id],
    queryFn: () => page.call(`${noun}s.delete`, { workspace, id, confirm: false }),
    staleTime: 0,
    gcTime: 0,
  })
  const submit = useSubmit(async () => {
    await page.call(`${noun}s.delete`, { workspace, id, confirm: true })
    onClose()
    const open = page.state().open
    if (open && !page.state().workspace?.sessions[open]) await navigate({ to: '/' })
    else if (noun === 'session' && open === id) await navigate({ to: '/' })
  })
  const goes = preview.data?.preview
  return (
    <Dialog title={`Delete ${noun} “${name}”?`} open onClose={onClose}>
      {preview.isPending && <p className="dim">Looking what would go ...</p>}
      {preview.error && <Problem error={asCarrelError(preview.error)} />}
      {goes && <Preview goes={goes} />}
      <Problem error={submit.problem} />
      <div className="actions">
        <button type="button" className="btn" onClick={onClose}>
          Keep
        </button>
        <button
          type="button"
          className="btn danger"
          disabled={!goes || goes.busy.length > 0 || submit.pending}
          onClick={() => submit.run()}
        >
          Delete for good
        </button>
      </div>
    </Dialog>
  )
}

function Preview({ goes }: { goes: DeletePreview }) {
  const parts = [
    goes.projects > 0 && count(goes.projects, 'project'),
    count(goes.sessions, 'session'),
    `${count(goes.events, 'event')} of their logs`,
  ].filter(Boolean)
  return (
    <div className="stack">
      <p>This goes, and cannot be brought back: {parts.join(', ')}.</p>
      {goes.folders.length > 0 ? (
        <p>
          These folders are removed from disk: <code>{goes.folders.join(', ')}</code>
        </p>
      ) : (
        <p className="dim">Files stay as they are.</p>
      )}
      {goes.busy.length > 0 && <p>First stop what runs in: {goes.busy.join(', ')}.</p>}
    </div>
  )
}
