import { useId } from 'react'
import './segments.css'

interface Props<Value extends string> {
  readonly label: string
  readonly value: Value
  readonly options: Readonly<Record<Value, string>>
  readonly onChoose: (value: Value) => void
}

/** One of a few, all of them in sight. */
export function Segments<Value extends string>({ label, value, options, onChoose }: Props<Value>) {
  const name = useId()
  return (
    <section aria-label={label}>
      <h3>{label}</h3>
      <div className="segments" role="radiogroup" aria-label={label}>
        {(Object.entries(options) as [Value, string][]).map(([each, words]) => (
          <label key={each}>
            <input type="radio" name={name} checked={each === value} onChange={() => onChoose(each)} />
            {words}
          </label>
        ))}
      </div>
    </section>
  )
}
