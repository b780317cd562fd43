import { Menu as Base } from '@base-ui/react/menu'
import { Ellipsis } from 'lucide-react'
import type { MenuProps } from './Menu.tsx'

/** The menu itself, open from the start: the click that loads it opens it. */
export function MenuPopup({ label, entries }: MenuProps) {
  return (
    <Base.Root defaultOpen>
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
