import { type ReactNode, useEffect, useId, useRef, useState } from 'react'
import type { Input } from '../../src/api/index.ts'
import type { Space } from '../../src/model/tree.ts'
import { useAgents } from '../data/queries.ts'
import { usePage, useSubmit, useWorkspace, useWorkspaceId } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { onSend } from '../ui/form.ts'
import { option } from '../ui/option.tsx'
import { Problem } from '../ui/Problem.tsx'
import { Segments } from '../ui/Segments.tsx'
import type { ListedRule } from './use-rules.ts'

const labels = texts.ruleList.form

/** The values of the fields. Empty means any. */
const BLANK = { kind: 'edit', path: '', command: '', space: '', agent: '', before: '' }

type Fields = typeof BLANK

interface PartProps {
  readonly fields: Fields
  readonly onChange: (part: Partial<Fields>) => void
}

/** The form for a new rule, narrow at first: one kind of operation in the first Space. */
export function RuleForm({ listed, onClose }: { listed: readonly ListedRule[]; onClose: () => void }) {
  const page = usePage()
  const workspace = useWorkspaceId()
  const spaces = Object.values(useWorkspace().spaces).filter(({ archivedAt }) => archivedAt === null)
  const [action, setAction] = useState<Input<'rules.add'>['action']>('allow')
  const [fields, setFields] = useState<Fields>({ ...BLANK, space: spaces[0]?.id ?? '' })
  const change = (part: Partial<Fields>): void => setFields({ ...fields, ...part })
  const form = useRef<HTMLFormElement>(null)
  useEffect(() => form.current?.querySelector<HTMLInputElement>('input:checked')?.focus(), [])
  const submit = useSubmit(async () => {
    await page.call('rules.add', { workspace, action, ...ruleOf(fields) })
    onClose()
  })
  return (
    <form ref={form} className="rule-form" aria-label={labels.title} onSubmit={onSend(() => submit.run())}>
      <Segments label={labels.action} value={action} options={labels.actions} onChoose={setAction} />
      <OperationFields fields={fields} onChange={change} />
      <ScopeFields fields={fields} onChange={change} spaces={spaces} />
      {listed.length > 0 && (
        <Pick label={labels.before} value={fields.before} onChange={(before) => change({ before })}>
          <option value="">{labels.last}</option>
          {listed.map(({ rule, sentence }, at) => option(rule.id, labels.beforeOne(at + 1, sentence)))}
        </Pick>
      )}
      <Problem error={submit.problem} />
      <div className="actions">
        <Button label={labels.cancel} onClick={onClose} />
        <Button label={labels.save} className="primary" type="submit" disabled={submit.pending} />
      </div>
    </form>
  )
}

function OperationFields({ fields: { kind, command, path }, onChange }: PartProps) {
  return (
    <>
      <Pick label={labels.kind} value={kind} onChange={(value) => onChange({ kind: value })}>
        {Object.entries(labels.kinds).map(([value, label]) => option(value, label))}
        <option value="">{labels.anything}</option>
      </Pick>
      {kind === 'execute' ? (
        <Text
          label={labels.command}
          note={labels.commandNote}
          value={command}
          onChange={(value) => onChange({ command: value })}
        />
      ) : (
        <Text label={labels.path} note={labels.pathNote} value={path} onChange={(value) => onChange({ path: value })} />
      )}
    </>
  )
}

function ScopeFields({ fields, onChange, spaces }: PartProps & { readonly spaces: readonly Space[] }) {
  const agents = useAgents().data?.agents ?? []
  return (
    <div className="rule-pair">
      <Pick label={labels.space} value={fields.space} onChange={(space) => onChange({ space })}>
        {spaces.map(({ id, name }) => option(id, name))}
        <option value="">{labels.everywhere}</option>
      </Pick>
      <Pick label={labels.agent} value={fields.agent} onChange={(agent) => onChange({ agent })}>
        <option value="">{labels.everyAgent}</option>
        {agents.map(({ id, name }) => option(id, name))}
      </Pick>
    </div>
  )
}

/** Returns the filled-in fields only. A command matches by its text: agents name the same tool differently. */
function ruleOf({ kind, path, command, space, agent, before }: Fields) {
  const isCommand = kind === 'execute'
  const [whole, glob] = [command.trim(), path.trim()]
  return {
    ...(isCommand && whole ? { command: whole } : kind && { toolKind: kind }),
    ...(!isCommand && glob && { path: glob }),
    ...(space && { space }),
    ...(agent && { agent }),
    ...(before && { before }),
  }
}

interface FieldProps {
  readonly label: string
  readonly value: string
  readonly onChange: (value: string) => void
}

function Pick({ label, value, onChange, children }: FieldProps & { children: ReactNode }) {
  const id = useId()
  return (
    <div className="form-field">
      <label htmlFor={id}>{label}</label>
      <select id={id} className="field" value={value} onChange={(event) => onChange(event.target.value)}>
        {children}
      </select>
    </div>
  )
}

function Text({ label, note, value, onChange }: FieldProps & { note: string }) {
  const id = useId()
  return (
    <div className="form-field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="field mono"
        value={value}
        autoCapitalize="off"
        spellCheck={false}
        aria-describedby={`${id}-note`}
        onChange={(event) => onChange(event.target.value)}
      />
      <p className="form-note" id={`${id}-note`}>
        {note}
      </p>
    </div>
  )
}
