import { useState } from 'react'
import { useSubmit } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { onSend } from '../ui/form.ts'
import { Problem } from '../ui/Problem.tsx'

interface Props {
  readonly title: string
  readonly name: string
  readonly save: (name: string) => Promise<unknown>
  readonly onClose: () => void
}

export function NameDialog({ title, name, save, onClose }: Props) {
  const [text, setText] = useState(name)
  const submit = useSubmit(async () => {
    await save(text.trim())
    onClose()
  })
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={onSend(() => text.trim() && submit.run())} className="stack">
        <input
          className="field"
          aria-label={texts.tree.name.field}
          value={text}
          maxLength={200}
          autoFocus
          onChange={(event) => setText(event.target.value)}
          onFocus={(event) => event.target.select()}
        />
        <Problem error={submit.problem} />
        <div className="actions">
          <Button label={texts.ui.cancel} onClick={onClose} />
          <Button label={texts.ui.save} className="primary" type="submit" disabled={submit.pending || !text.trim()} />
        </div>
      </form>
    </Dialog>
  )
}
