import { useAnswer } from '../data/queries.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { Problem } from '../ui/Problem.tsx'
import { PutSecret } from './PutSecret.tsx'
import { SecretRow } from './SecretRow.tsx'
import './secrets.css'

interface Props {
  /** The scope of a new secret at first. */
  readonly space?: string | undefined
  readonly onClose: () => void
}

/** The secrets of the workspace by name. The server never returns a value. */
export function SecretsDialog({ space, onClose }: Props) {
  const { data, error, isPending, refetch } = useAnswer(['secrets'], 'secrets.list', {}, { refetchOnMount: 'always' })
  const again = () => void refetch()
  return (
    <Dialog title={texts.secrets.title} onClose={onClose}>
      <p className="dim">{texts.secrets.text}</p>
      <Problem error={error} />
      {isPending && <p className="faint">{texts.ui.loading}</p>}
      {data?.secrets.length === 0 && <p>{texts.secrets.empty}</p>}
      <ul className="secrets">
        {data?.secrets.map((secret) => (
          <SecretRow key={`${secret.name} ${secret.space} ${secret.project}`} secret={secret} onGone={again} />
        ))}
      </ul>
      <PutSecret space={space} onStored={again} />
      <div className="actions">
        <Button label={texts.ui.close} onClick={onClose} />
      </div>
    </Dialog>
  )
}
