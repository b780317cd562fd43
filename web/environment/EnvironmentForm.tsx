import { type FormEvent, type ReactNode, useId, useState } from 'react'
import { BrowserWanted, type Environment, Home, Sandbox } from '../../src/model/environment.ts'
import { usePage, useSubmit, useWorkspaceId } from '../data/use-page.ts'
import type { SecretScope } from '../secrets/places.ts'
import { texts } from '../texts/texts.ts'
import { Problem } from '../ui/Problem.tsx'
import { AmountFields } from './AmountFields.tsx'
import { BUDGET_AMOUNTS, changeOf, type Draft, draftOf, LIMIT_AMOUNTS } from './draft.ts'

interface Props {
  readonly scope: SecretScope
  readonly own: Environment
  readonly onSaved: () => void
}

/** What one scope says, as far as this version keeps it. */
export function EnvironmentForm({ scope, own, onSaved }: Props) {
  const page = usePage()
  const workspace = useWorkspaceId()
  const [draft, setDraft] = useState(draftOf(own))
  const words = texts.environment
  const save = useSubmit(async () => {
    const { space, project } = scope
    const settings = changeOf(own, draft)
    await page.call('environment.set', { workspace, ...(space && { space }), ...(project && { project }), settings })
    onSaved()
  })
  const send = (event: FormEvent): void => {
    event.preventDefault()
    save.run()
  }
  const put = (more: Partial<Draft>) => setDraft({ ...draft, ...more })
  return (
    <form className="stack" onSubmit={send} aria-label={words.form}>
      <Area label={words.env} note={words.envNote} value={draft.env} onValue={(env) => put({ env })} />
      <Pick label={words.home} value={draft.home} options={words.homes} onPick={(to) => put({ home: to })}>
        {Home.options}
      </Pick>
      <Pick label={words.sandbox} value={draft.sandbox} options={words.sandboxes} onPick={(to) => put({ sandbox: to })}>
        {Sandbox.options}
      </Pick>
      <Area label={words.hosts} note={words.hostsNote} value={draft.hosts} onValue={(hosts) => put({ hosts })} />
      <Area
        label={words.ports}
        note={words.portsNote}
        value={draft.ports}
        onValue={(ports) => put({ ports })}
        rows={1}
      />
      <Pick label={words.browser} value={draft.browser} options={words.browsers} onPick={(to) => put({ browser: to })}>
        {BrowserWanted.options}
      </Pick>
      <AmountFields
        title={words.limits}
        note={words.limitsNote}
        names={LIMIT_AMOUNTS}
        amounts={draft.limits}
        onAmounts={(limits) => put({ limits })}
      />
      {(['session', 'total'] as const).map((of) => (
        <AmountFields
          key={of}
          title={words.budgets[of]}
          note={words.budgetsNote}
          names={BUDGET_AMOUNTS}
          amounts={draft[of]}
          onAmounts={(amounts) => put({ [of]: amounts })}
        />
      ))}
      <Problem error={save.problem} />
      <div className="actions">
        <button type="submit" className="btn primary" disabled={save.pending}>
          {texts.ui.save}
        </button>
      </div>
    </form>
  )
}

interface AreaProps {
  readonly label: string
  readonly note: string
  readonly value: string
  readonly onValue: (value: string) => void
  readonly rows?: number
}

function Area({ label, note, value, onValue, rows = 3 }: AreaProps) {
  const id = useId()
  return (
    <div className="form-field">
      <label htmlFor={id}>{label}</label>
      <span className="form-note">{note}</span>
      <textarea
        id={id}
        className="field mono"
        rows={rows}
        value={value}
        spellCheck={false}
        onChange={(event) => onValue(event.target.value)}
      />
    </div>
  )
}

interface PickProps {
  readonly label: string
  readonly value: string
  readonly options: Readonly<Record<string, string>>
  readonly onPick: (value: string) => void
  readonly children: readonly string[]
}

function Pick({ label, value, options, onPick, children }: PickProps): ReactNode {
  const id = useId()
  return (
    <div className="form-field">
      <label htmlFor={id}>{label}</label>
      <select id={id} className="field" value={value} onChange={(event) => onPick(event.target.value)}>
        <option value="">{texts.environment.notSaid}</option>
        {children.map((name) => (
          <option key={name} value={name}>
            {options[name]}
          </option>
        ))}
      </select>
    </div>
  )
}
