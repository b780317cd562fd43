import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import type { DeletePreview } from '../../src/model/tree.ts'
import { usePage, useSubmit, useWorkspaceId } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import type { TreeNoun } from '../texts/words/nouns.ts'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { Problem } from '../ui/Problem.tsx'

interface Props {
  readonly noun: TreeNoun
  readonly id: string
  readonly name: string
  readonly onClose: () => void
}

/** Shows what a deletion would remove, confirms once, and deletes exactly that. */
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
    <Dialog title={texts.tree.delete.title(noun, name)} onClose={onClose}>
      {preview.isPending && <p className="dim">{texts.tree.delete.looking}</p>}
      <Problem error={preview.error} />
      {goes && <Preview goes={goes} />}
      <Problem error={submit.problem} />
      <div className="actions">
        <Button label={texts.tree.delete.keep} onClick={onClose} />
        <Button
          label={texts.tree.delete.act}
          className="danger"
          disabled={!goes || goes.busy.length > 0 || submit.pending}
          onClick={() => submit.run()}
        />
      </div>
    </Dialog>
  )
}

function Preview({ goes }: { goes: DeletePreview }) {
  return (
    <div className="stack">
      <p>{texts.tree.delete.goes(goes.projects, goes.sessions, goes.events)}</p>
      {goes.folders.length > 0 ? (
        <p>
          {texts.tree.delete.folders} <code>{goes.folders.join(', ')}</code>
        </p>
      ) : (
        <p className="dim">{texts.tree.delete.filesStay}</p>
      )}
      {goes.busy.length > 0 && <p>{texts.tree.delete.busy(goes.busy)}</p>}
    </div>
  )
}
