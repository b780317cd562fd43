import { Dialog as Base } from '@base-ui/react/dialog'
import { type ReactNode, useRef } from 'react'

interface Props {
  readonly title: string
  readonly onClose: () => void
  /** Added to the class of every dialog. */
  readonly className?: string
  /** The dialog is a text: the focus goes to the whole, not to its first control. */
  readonly isText?: boolean
  readonly children: ReactNode
}

/**
 * A dialog with a title. Escape and a click beside it close it. The focus arrives a frame later: a field in which people
 * type at once has `autoFocus`.
 */
export function Dialog({ title, onClose, className = '', isText = false, children }: Props) {
  const popup = useRef<HTMLDivElement>(null)
  return (
    <Base.Root open onOpenChange={(next) => next || onClose()}>
      <Base.Portal>
        <Base.Backdrop className="scrim" />
        <Base.Popup ref={popup} className={`dialog ${className}`} initialFocus={isText ? popup : true}>
          <Base.Title>{title}</Base.Title>
          {children}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}
