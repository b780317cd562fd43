import { useId, useState } from 'react'
import { texts } from '../texts/texts.ts'
import { Fold } from '../ui/Fold.tsx'
import type { Amount, Amounts } from './draft.ts'

interface Props {
  readonly title: string
  readonly note: string
  readonly names: readonly Amount[]
  readonly amounts: Amounts
  readonly onAmounts: (amounts: Amounts) => void
}

/** Fields for amounts of one kind. An empty field has no limit. The fold is closed while all fields are empty. */
export function AmountFields({ title, note, names, amounts, onAmounts }: Props) {
  const id = useId()
  const [opensSo] = useState(names.some((name) => amounts[name]))
  return (
    <Fold id={`environment.${title}`} head={<span>{title}</span>} byDefault={opensSo}>
      {() => (
        <fieldset className="amounts" aria-label={title}>
          <p className="form-note">{note}</p>
          {names.map((name) => (
            <div key={name} className="amount">
              <label htmlFor={`${id}-${name}`}>{texts.environment.amounts[name]}</label>
              <input
                id={`${id}-${name}`}
                className="field"
                {...(name === 'memoryBytes' ? { type: 'text' } : { type: 'number', min: 0, step: 'any' })}
                placeholder={name === 'memoryBytes' ? texts.environment.unlimitedOrSize : texts.environment.unlimited}
                value={amounts[name] ?? ''}
                onChange={(event) => onAmounts({ ...amounts, [name]: event.target.value })}
              />
            </div>
          ))}
        </fieldset>
      )}
    </Fold>
  )
}
