import { ChevronDown } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'

const ChoicePopup = lazy(() => import('./ChoicePopup.tsx').then((file) => ({ default: file.ChoicePopup })))

interface ChoiceOption {
  readonly value: string
  readonly label: string
  readonly note?: string | null
  readonly disabled?: boolean
}

export interface ChoiceProps {
  readonly label: string
  readonly value: string
  readonly options: readonly ChoiceOption[]
  readonly onChoose: (value: string) => void
  readonly disabled?: boolean
}

/** A small select with a note under each option. Before the first click only a plain button is rendered. */
export function Choice(props: ChoiceProps) {
  const [wanted, setWanted] = useState(false)
  const { label, value, options, disabled } = props
  const current = options.find((option) => option.value === value)?.label ?? value
  const button = (
    <button
      type="button"
      role="combobox"
      className="btn quiet choice"
      aria-label={`${label}: ${current}`}
      aria-haspopup="listbox"
      aria-expanded={false}
      disabled={disabled}
      onClick={() => setWanted(true)}
      onKeyDown={(event) => {
        if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return
        event.preventDefault()
        setWanted(true)
      }}
    >
      <span className="cut">{current}</span>
      <ChevronDown aria-hidden />
    </button>
  )
  return wanted ? (
    <Suspense fallback={button}>
      <ChoicePopup {...props} />
    </Suspense>
  ) : (
    button
  )
}
