import { Dialog } from '@base-ui/react/dialog'
import { useLocation } from '@tanstack/react-router'
import { X } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { texts } from '../texts/texts.ts'
import { Inbox } from './InboxView.tsx'
import './drawer.css'

/** The inbox over the current view: at the side, on a phone at the bottom. A navigation closes it. */
export function InboxDrawer({ onClose }: { onClose: () => void }) {
  const popup = useRef<HTMLDivElement>(null)
  const { pathname } = useLocation()
  const from = useRef(pathname)
  useEffect(() => {
    if (pathname !== from.current) onClose()
  }, [pathname, onClose])
  return (
    <Dialog.Root open onOpenChange={(open) => open || onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="scrim" />
        {/* The popup has the focus: its keys work at once, and a stray Enter presses no button. */}
        <Dialog.Popup className="drawer" ref={popup} initialFocus={popup}>
          <Inbox
            title={<Dialog.Title>{texts.inbox.title}</Dialog.Title>}
            end={
              <Dialog.Close className="btn quiet icon" aria-label={texts.inbox.drawer.close}>
                <X aria-hidden />
              </Dialog.Close>
            }
          />
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}
