import { Ellipsis } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'

const MenuPopup = lazy(() => import('./MenuPopup.tsx').then((file) => ({ default: file.MenuPopup })))

export interface MenuEntry {
  readonly label: string
  readonly act: () => void
  readonly danger?: boolean
}

export interface MenuProps {
  readonly label: string
  readonly entries: readonly MenuEntry[]
}

/** A button with three dots and a menu. Few of a page's menus are used: before the first click it is a plain button. */
export function Menu(props: MenuProps) {
  const [wanted, setWanted] = useState(false)
  const button = (
    <button
      type="button"
      className="btn quiet icon"
      aria-label={props.label}
      aria-haspopup="menu"
      aria-expanded={false}
      onClick={() => setWanted(true)}
    >
      <Ellipsis aria-hidden />
    </button>
  )
  return wanted ? (
    <Suspense fallback={button}>
      <MenuPopup {...props} />
    </Suspense>
  ) : (
    button
  )
}
