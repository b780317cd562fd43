import { type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react'
import type { Input } from '../../src/api/index.ts'
import { useAgents } from '../data/queries.ts'
import { usePage, useSubmit, useWorkspace, useWorkspaceId } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Problem } from '../ui/Problem.tsx'
import { Segments } from '../ui/Segments.tsx'
import type { ListedRule } from './use-rules.ts'

const words = texts.ruleList.form

/** As the fields have it: empty means that it does not matter. */
const BLANK = { kind: 'edit', path: '', command: '', space: '', agent: '', before: '' }

/** Writes a rule out of its parts, narrow from the start: a kind of act in the first Space. */
export function RuleForm({ listed, onClose }: { listed: readonly ListedRule[]; onClose: () => void }) {
  const page = usePage()
  const workspace = useWorkspaceId()
  const spaces = Object.values(useWorkspace().spaces).filter(({ archivedAt }) => archivedAt === null)
  const agents = useAgents().data?.agents ?? []
  const [action, setAction] = useState<Input<'rules.add'>['action']>('allow')
  const [fields, setFields] = useState({ ...BLANK, space: spaces[0]?.id ?? '' })
  const set = (name: keyof typeof fields) => (value: string) => setFields({ ...fields, [name]: value })
  const isCommand = fields.kind === 'execute'
  const form = useRef<HTMLFormElement>(null)
  useEffect(() => form.current?.querySelector<HTMLInputElement>('input:checked')?.focus(), [])
  const submit = useSubmit(async () => {
    await page.call('rules.add', { workspace, action, ...ruleOf(fields) })
    onClose()
  })
  const send = (event: FormEvent): void => {
    event.preventDefault()
    submit.run()
  }
  return (
    <form ref={form} className="rule-form" aria-label={words.title} onSubmit={send}>
      <Segments label={words.action} value={action} options={words.actions} onChoose={setAction} />
      <Pick label={words.kind} value={fields.kind} onChange={set('kind')}>
        {Object.entries(words.kinds).map(([kind, label]) => (
          <option key={kind} value={kind}>
            {label}
          </option>
        ))}
        <option value="">{words.anything}</option>
      </Pick>
      {isCommand ? (
        <Text label={words.command} note={words.commandNote} value={fields.command} onChange={set('command')} />
      ) : (
        <Text label={words.path} note={words.pathNote} value={fields.path} onChange={set('path')} />
      )}
      <div className="rule-pair">
        <Pick label={words.space} value={fields.space} onChange={set('space')}>
          {spaces.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
          <option value="">{words.everywhere}</option>
        </Pick>
        <Pick label={words.agent} value={fields.agent} onChange={set('agent')}>
          <option value="">{words.everyAgent}</option>
          {agents.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </Pick>
      </div>
      {listed.length > 0 && (
        <Pick label={words.before} value={fields.before} onChange={set('before')}>
          <option value="">{words.last}</option>
          {listed.map(({ rule, words: sentence }, at) => (
            <option key={rule.id} value={rule.id}>
              {words.beforeOne(at + 1, sentence)}
            </option>
          ))}
        </Pick>
      )}
      <Problem error={submit.problem} />
      <div className="actions">
        <button type="button" className="btn" onClick={onClose}>
          {words.cancel}
        </button>
        <button type="submit" className="btn primary" disabled={submit.pending}>
          {words.save}
        </button>
      </div>
    </form>
  )
}

/** Only what was filled in; a command is matched by its words, whatever the agent calls the tool. */
function ruleOf({ kind, path, command, space, agent, before }: typeof BLANK) {
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
