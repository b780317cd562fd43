import { ChevronRight } from 'lucide-react'
import { type ReactNode, useState } from 'react'

/** Open and closed folds by key: rows leave the document out of sight and must come back unchanged. */
const chosen = new Map<string, boolean>()

/** An open state that outlives its component. Until a person changes it, it follows `byDefault`. */
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

/** A line that expands. Its content renders only while it is open. */
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
