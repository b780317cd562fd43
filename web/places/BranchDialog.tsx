import { useState } from 'react'
import { say } from '../data/toasts.ts'
import { usePage, useSubmit, useWorkspaceId } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { onSend } from '../ui/form.ts'
import { Problem } from '../ui/Problem.tsx'

/** Exports the changes of a working copy as a branch of the Space's repository. */
export function BranchDialog({ project, name, onClose }: { project: string; name: string; onClose: () => void }) {
  const page = usePage()
  const workspace = useWorkspaceId()
  const [branch, setBranch] = useState(() => name.toLowerCase().replaceAll(/[^\p{L}\p{N}._/-]+/gu, '-'))
  const labels = texts.places.export
  const make = useSubmit(async () => {
    const made = await page.call('places.export', { workspace, project, as: 'branch', branch: branch.trim() })
    say(made.branch ? labels.done(made.branch, made.commit?.slice(0, 10) ?? '') : labels.nothing)
    onClose()
  })
  return (
    <Dialog title={labels.title(name)} onClose={onClose}>
      <form className="stack" onSubmit={onSend(() => branch.trim() && make.run())}>
        <p className="dim">{labels.note}</p>
        <label className="form-field">
          <span>{labels.field}</span>
          <input
            className="field mono"
            value={branch}
            maxLength={200}
            autoFocus
            spellCheck={false}
            onChange={(event) => setBranch(event.target.value)}
          />
        </label>
        <Problem error={make.problem} />
        <div className="actions">
          <Button label={texts.ui.cancel} onClick={onClose} />
          <Button className="primary" type="submit" disabled={make.pending || !branch.trim()}>
            {make.pending ? labels.acting : labels.act}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
