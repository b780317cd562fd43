import { type ReactNode, useId, useState } from 'react'
import { BrowserWanted, type Environment, Home, Sandbox } from '../../src/model/settings/environment.ts'
import { usePage, useSubmit, useWorkspaceId } from '../data/use-page.ts'
import { type ScopeRef, scopeInput } from '../secrets/scopes.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { onSend } from '../ui/form.ts'
import { option } from '../ui/option.tsx'
import { Problem } from '../ui/Problem.tsx'
import { AmountFields } from './AmountFields.tsx'
import { BUDGET_AMOUNTS, changeOf, draftOf, LIMIT_AMOUNTS, type SettingsDraft } from './draft.ts'

/** The form for the settings of one scope. */
export function EnvironmentForm({ scope, own, onSaved }: { scope: ScopeRef; own: Environment; onSaved: () => void }) {
  const page = usePage()
  const workspace = useWorkspaceId()
  const [draft, setDraft] = useState(draftOf(own))
  const labels = texts.environment
  const save = useSubmit(async () => {
    await page.call('environment.set', { workspace, ...scopeInput(scope), settings: changeOf(own, draft) })
    onSaved()
  })
  const put = (more: Partial<SettingsDraft>) => setDraft({ ...draft, ...more })
  return (
    <form className="stack" onSubmit={onSend(() => save.run())} aria-label={labels.form}>
      <Area label={labels.env} note={labels.envNote} value={draft.env} onValue={(env) => put({ env })} />
      <Pick label={labels.home} value={draft.home} options={labels.homes} onPick={(to) => put({ home: to })}>
        {Home.options}
      </Pick>
      <Pick
        label={labels.sandbox}
        value={draft.sandbox}
        options={labels.sandboxes}
        onPick={(to) => put({ sandbox: to })}
      >
        {Sandbox.options}
      </Pick>
      <Area label={labels.hosts} note={labels.hostsNote} value={draft.hosts} onValue={(hosts) => put({ hosts })} />
      <Area
        label={labels.ports}
        note={labels.portsNote}
        value={draft.ports}
        onValue={(ports) => put({ ports })}
        rows={1}
      />
      <Pick
        label={labels.browser}
        value={draft.browser}
        options={labels.browsers}
        onPick={(to) => put({ browser: to })}
      >
        {BrowserWanted.options}
      </Pick>
      <Amounts draft={draft} onChange={put} />
      <Problem error={save.problem} />
      <div className="actions">
        <Button label={texts.ui.save} className="primary" type="submit" disabled={save.pending} />
      </div>
    </form>
  )
}

function Amounts({ draft, onChange }: { draft: SettingsDraft; onChange: (part: Partial<SettingsDraft>) => void }) {
  const labels = texts.environment
  return (
    <>
      <AmountFields
        title={labels.limits}
        note={labels.limitsNote}
        names={LIMIT_AMOUNTS}
        amounts={draft.limits}
        onAmounts={(limits) => onChange({ limits })}
      />
      {(['session', 'total'] as const).map((of) => (
        <AmountFields
          key={of}
          title={labels.budgets[of]}
          note={labels.budgetsNote}
          names={BUDGET_AMOUNTS}
          amounts={draft[of]}
          onAmounts={(amounts) => onChange({ [of]: amounts })}
        />
      ))}
    </>
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
        <option value="">{texts.environment.inherited}</option>
        {children.map((name) => option(name, options[name]))}
      </select>
    </div>
  )
}
