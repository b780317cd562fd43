import { Menu as Base } from '@base-ui/react/menu'
import { Ellipsis } from 'lucide-react'

export interface MenuEntry {
  readonly label: string
  readonly act: () => void
  readonly danger?: boolean
}

/** A button with three dots and what it offers. */
export function Menu({ label, entries }: { label: string; entries: readonly MenuEntry[] }) {
  return (
    <Base.Root>
      <Base.Trigger className="btn quiet icon" aria-label={label}>
        <Ellipsis aria-hidden />
      </Base.Trigger>
      <Base.Portal>
        <Base.Positioner className="positioner" sideOffset={4} align="end">
          <Base.Popup className="popup">
            {entries.map(({ label: text, act, danger }) => (
              <Base.Item key={text} className={`popup-item ${danger ? 'danger' : ''}`} onClick={act}>
                {text}
              </Base.Item>
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}
