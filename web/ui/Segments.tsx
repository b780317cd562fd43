import { useId } from 'react'
import './segments.css'

interface Props<Value extends string> {
  readonly label: string
  readonly value: Value
  readonly options: Readonly<Record<Value, string>>
  readonly onChoose: (value: Value) => void
}

/** A choice of one of a few options, all of them visible. */
export function Segments<Value extends string>({ label, value, options, onChoose }: Props<Value>) {
  const name = useId()
  return (
    <section aria-label={label}>
      <h3>{label}</h3>
      <div className="segments" role="radiogroup" aria-label={label}>
        {(Object.entries(options) as [Value, string][]).map(([each, label]) => (
          <label key={each}>
            <input type="radio" name={name} checked={each === value} onChange={() => onChoose(each)} />
            {label}
          </label>
        ))}
      </div>
    </section>
  )
}
