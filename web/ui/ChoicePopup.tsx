import { Select } from '@base-ui/react/select'
import { Check, ChevronDown } from 'lucide-react'
import type { ChoiceProps } from './Choice.tsx'

/** The select itself, open from the start: the click that loads it opens it. */
export function ChoicePopup({ label, value, options, onChoose, disabled = false }: ChoiceProps) {
  const current = options.find((option) => option.value === value)
  return (
    <Select.Root
      defaultOpen
      value={value}
      onValueChange={(next) => next && next !== value && onChoose(next)}
      disabled={disabled}
    >
      <Select.Trigger className="btn quiet choice" aria-label={`${label}: ${current?.label ?? value}`}>
        <span className="cut">{current?.label ?? value}</span>
        <ChevronDown aria-hidden />
      </Select.Trigger>
      <Select.Portal>
        <Select.Positioner className="positioner" sideOffset={4} alignItemWithTrigger={false}>
          <Select.Popup className="popup">
            <div className="popup-label">{label}</div>
            <Select.List>
              {options.map((option) => (
                <Select.Item
                  key={option.value}
                  value={option.value}
                  disabled={option.disabled ?? false}
                  className="popup-item"
                >
                  <Check className="glyph" aria-hidden visibility={option.value === value ? 'visible' : 'hidden'} />
                  <span className="grow">
                    <Select.ItemText>{option.label}</Select.ItemText>
                    {option.note && <span className="choice-note">{option.note}</span>}
                  </span>
                </Select.Item>
              ))}
            </Select.List>
          </Select.Popup>
        </Select.Positioner>
      </Select.Portal>
    </Select.Root>
  )
}
