import { type ComponentProps, useId, useState } from 'react'
import { usePage, useSubmit, useWorkspace, useWorkspaceId } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { onSend } from '../ui/form.ts'
import { Problem } from '../ui/Problem.tsx'
import { ScopeChoice } from './ScopeChoice.tsx'
import { scopeAt, scopeInput } from './scopes.ts'

/** The form for a new secret. The value is cleared as soon as the server has stored it. */
export function PutSecret({ space, onStored }: { space: string | undefined; onStored: () => void }) {
  const page = usePage()
  const view = useWorkspace()
  const workspace = useWorkspaceId()
  const id = useId()
  const [name, setName] = useState('')
  const [value, setValue] = useState('')
  const [where, setWhere] = useState(space ?? '')
  const [stored, setStored] = useState<string | null>(null)
  const submit = useSubmit(async () => {
    setStored(null)
    await page.call('secrets.put', { workspace, name, value, ...scopeInput(scopeAt(view, where)) })
    setStored(name)
    setName('')
    setValue('')
    onStored()
  })
  return (
    <form onSubmit={onSend(() => submit.run())} className="stack put-secret" aria-label={texts.secrets.put}>
      <Field
        label={texts.secrets.name}
        value={name}
        onValue={setName}
        placeholder={texts.secrets.nameHint}
        pattern="[A-Z_][A-Z0-9_]*"
        title={texts.secrets.nameWrong}
        autoComplete="off"
      />
      <Field label={texts.secrets.value} value={value} onValue={setValue} type="password" autoComplete="new-password" />
      <label htmlFor={`${id}-where`}>{texts.secrets.where}</label>
      <ScopeChoice id={`${id}-where`} value={where} onChoose={setWhere} />
      <Problem error={submit.problem} />
      <p role="status">{stored === null ? '' : texts.secrets.stored(stored)}</p>
      <div className="actions">
        <Button label={texts.secrets.store} className="primary" type="submit" disabled={submit.pending} />
      </div>
    </form>
  )
}

interface FieldProps extends ComponentProps<'input'> {
  readonly label: string
  readonly onValue: (value: string) => void
}

function Field({ label, onValue, ...more }: FieldProps) {
  const id = useId()
  return (
    <>
      <label htmlFor={id}>{label}</label>
      <input {...more} id={id} className="field" required onChange={(event) => onValue(event.target.value)} />
    </>
  )
}
