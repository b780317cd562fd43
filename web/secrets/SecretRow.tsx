import { Trash2 } from 'lucide-react'
import type { Output } from '../../src/api/index.ts'
import { usePage, useSubmit, useWorkspace } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { IconButton } from '../ui/Button.tsx'
import { Problem } from '../ui/Problem.tsx'
import { scopeName } from './scopes.ts'

interface Props {
  readonly secret: Output<'secrets.list'>['secrets'][number]
  readonly onGone: () => void
}

export function SecretRow({ secret, onGone }: Props) {
  const page = usePage()
  const where = scopeName(useWorkspace(), secret)
  const { workspace, name, space, project, give, readable } = secret
  const remove = useSubmit(async () => {
    await page.call('secrets.remove', { workspace, name, ...(space && { space }), ...(project && { project }) })
    onGone()
  })
  return (
    <li className="secret">
      <div className="grow">
        <code>{name}</code>
        <p className="faint">{texts.secrets.row(where, give?.join(', ') ?? texts.secrets.allAgents)}</p>
        {!readable && <p className="dim">{texts.secrets.unreadable}</p>}
        <Problem error={remove.problem} />
      </div>
      <IconButton
        icon={Trash2}
        label={texts.secrets.removeOne(name, where)}
        className="small"
        title={texts.secrets.remove}
        disabled={remove.pending}
        onClick={() => remove.run()}
      />
    </li>
  )
}
