import { useId, useState } from 'react'
import { useAnswer } from '../data/queries.ts'
import { useWorkspace } from '../data/use-page.ts'
import { ScopeChoice } from '../secrets/ScopeChoice.tsx'
import { scopeAt, scopeInput } from '../secrets/scopes.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { Problem } from '../ui/Problem.tsx'
import { EffectiveTable } from './EffectiveTable.tsx'
import { EnvironmentForm } from './EnvironmentForm.tsx'
import '../ui/dialogs.css'
import './environment.css'

interface Props {
  /** The scope at first; without a Space the whole workspace. */
  readonly space?: string | undefined
  readonly onClose: () => void
}

/** The environment settings of one scope at a time. */
export function EnvironmentDialog({ space, onClose }: Props) {
  const view = useWorkspace()
  const id = useId()
  const [where, setWhere] = useState(space ?? '')
  const [saved, setSaved] = useState(false)
  const scope = scopeAt(view, where)
  const labels = texts.environment
  const { data, error, isPending, refetch } = useAnswer(['environment', where], 'environment.get', scopeInput(scope), {
    refetchOnMount: 'always',
  })
  return (
    <Dialog title={labels.title} onClose={onClose} className="wide plan-like">
      <p className="dim">{labels.text}</p>
      <div className="form-field">
        <label htmlFor={id}>{labels.where}</label>
        <ScopeChoice
          id={id}
          value={where}
          onChoose={(key) => {
            setSaved(false)
            setWhere(key)
          }}
        />
      </div>
      <Problem error={error} />
      {isPending && <p className="faint">{texts.ui.loading}</p>}
      {data && (
        <>
          <EnvironmentForm
            key={`${where} ${JSON.stringify(data.own)}`}
            scope={scope}
            own={data.own}
            onSaved={() => {
              setSaved(true)
              void refetch()
            }}
          />
          <p role="status">{saved ? labels.saved : ''}</p>
          <EffectiveTable effective={data.effective} />
        </>
      )}
      <div className="actions">
        <Button label={texts.ui.close} onClick={onClose} />
      </div>
    </Dialog>
  )
}
