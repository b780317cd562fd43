import { useId, useMemo, useState } from 'react'
import type { Answer } from '../../../src/model/interaction.ts'
import { texts } from '../../texts/texts.ts'
import { Button } from '../../ui/Button.tsx'
import { onSend } from '../../ui/form.ts'
import { option } from '../../ui/option.tsx'
import { type FieldValue, type FormField, fieldsOf, readField } from './form-schema.ts'

interface Props {
  readonly interaction: string
  readonly schema: unknown
  readonly pending: boolean
  readonly onAnswer: (answer: Answer) => void
}

/** A form for the agent's JSON schema. Errors show beside their fields. */
export function QuestionForm({ interaction, schema, pending, onAnswer }: Props) {
  const fields = useMemo(() => fieldsOf(schema), [schema])
  const [given, setGiven] = useState<Record<string, FieldValue>>({})
  const [tried, setTried] = useState(false)
  const reads = fields.map((field) => readField(field, given[field.name] ?? field.initial))
  const send = onSend(() => {
    setTried(true)
    if (reads.some((read) => 'problem' in read)) return
    const values = Object.fromEntries(
      fields.flatMap((field, at) => {
        const read = reads[at]!
        return 'value' in read && read.value !== undefined ? [[field.name, read.value]] : []
      }),
    )
    onAnswer({ values })
  })
  return (
    <form className="form" onSubmit={send} noValidate>
      {fields.map((field, at) => {
        const read = reads[at]!
        return (
          <Field
            key={field.name}
            interaction={interaction}
            field={field}
            value={given[field.name] ?? field.initial}
            problem={tried && 'problem' in read ? read.problem : ''}
            onChange={(value) => setGiven({ ...given, [field.name]: value })}
          />
        )
      })}
      <div className="options">
        <Button label={texts.ui.send} className="primary" type="submit" disabled={pending} />
        <Button label={texts.question.noAnswer} disabled={pending} onClick={() => onAnswer({ declined: true })} />
      </div>
    </form>
  )
}

interface FieldProps {
  readonly interaction: string
  readonly field: FormField
  readonly value: FieldValue
  readonly problem: string
  readonly onChange: (value: FieldValue) => void
}

function Field({ interaction, field, value, problem, onChange }: FieldProps) {
  const id = `${useId()}${interaction}`
  const { label, note, kind, required } = field
  if (kind === 'boolean') {
    return (
      <label className="tick">
        <input type="checkbox" checked={value === true} onChange={(event) => onChange(event.target.checked)} />
        <span>
          {label}
          {note && <span className="form-note">{note}</span>}
        </span>
      </label>
    )
  }
  return (
    <div className="form-field">
      <label htmlFor={id} id={`${id}-label`}>
        {label}
        {!required && <span className="faint"> {texts.question.form.optional}</span>}
      </label>
      {note && <p className="form-note">{note}</p>}
      <Entry id={id} field={field} value={value} problem={problem} onChange={onChange} />
      {problem && (
        <p className="form-problem" id={`${id}-problem`} role="alert">
          {problem}
        </p>
      )}
    </div>
  )
}

function Entry({ id, field, value, problem, onChange }: Omit<FieldProps, 'interaction'> & { id: string }) {
  const { kind, choices, required } = field
  const common = {
    id,
    className: 'field',
    'aria-required': required,
    'aria-invalid': problem !== '',
    ...(problem && { 'aria-describedby': `${id}-problem` }),
  }
  if (kind === 'several') {
    const chosen = value as readonly string[]
    return (
      // biome-ignore lint/a11y/useSemanticElements: a fieldset would need a second label
      <div role="group" aria-labelledby={`${id}-label`} id={id}>
        {choices.map((choice) => (
          <label key={choice.value} className="tick">
            <input
              type="checkbox"
              checked={chosen.includes(choice.value)}
              onChange={({ target }) =>
                onChange(target.checked ? [...chosen, choice.value] : chosen.filter((each) => each !== choice.value))
              }
            />
            {choice.label}
          </label>
        ))}
      </div>
    )
  }
  const text = String(value)
  if (kind === 'enum') {
    return (
      <select {...common} value={text} onChange={(event) => onChange(event.target.value)}>
        <option value="">{texts.question.form.choose}</option>
        {choices.map((choice) => option(choice.value, choice.label))}
      </select>
    )
  }
  if (kind === 'json')
    return <textarea {...common} rows={3} value={text} onChange={(event) => onChange(event.target.value)} />
  const numeric = kind === 'number' || kind === 'integer'
  return (
    <input
      {...common}
      type="text"
      inputMode={numeric ? 'decimal' : 'text'}
      value={text}
      onChange={(event) => onChange(event.target.value)}
    />
  )
}
