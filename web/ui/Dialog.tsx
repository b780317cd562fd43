import { Dialog as Base } from '@base-ui/react/dialog'
import type { ReactNode } from 'react'

interface Props {
  readonly title: string
  readonly open: boolean
  readonly onClose: () => void
  /** Beside the look of every dialog. */
  readonly className?: string
  readonly children: ReactNode
}

/** A dialog with its title; Escape and a press beside it close it. */
export function Dialog({ title, open, onClose, className = '', children }: Props) {
  return (
    <Base.Root open={open} onOpenChange={(next) => next || onClose()}>
      <Base.Portal>
        <Base.Backdrop className="scrim" />
        <Base.Popup className={`dialog ${className}`}>
          <Base.Title>{title}</Base.Title>
          {children}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}
