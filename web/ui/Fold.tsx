import { ChevronRight } from 'lucide-react'
import { type ReactNode, useState } from 'react'

/** What people folded or unfolded, by key: rows leave the document while they are out of sight and come back as they were. */
const chosen = new Map<string, boolean>()

/** An open state that outlives its component. Until somebody chooses, it follows `byDefault`. */
export function useFold(key: string, byDefault: boolean): readonly [boolean, () => void] {
  const [mine, setMine] = useState(chosen.get(key))
  const open = mine ?? byDefault
  const toggle = (): void => {
    chosen.set(key, !open)
    setMine(!open)
  }
  return [open, toggle]
}

interface Props {
  readonly id: string
  readonly head: ReactNode
  readonly byDefault?: boolean
  readonly className?: string
  readonly children: () => ReactNode
}

/** A line that opens. Its content is made only when it is open. */
export function Fold({ id, head, byDefault = false, className = '', children }: Props) {
  const [open, toggle] = useFold(id, byDefault)
  return (
    <div className={`fold ${className}`} data-open={open || undefined}>
      <button type="button" className="fold-head" aria-expanded={open} onClick={toggle}>
        <ChevronRight className="glyph fold-mark" aria-hidden />
        {head}
      </button>
      {open && <div className="fold-body">{children()}</div>}
    </div>
  )
}
