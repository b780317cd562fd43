import { X } from 'lucide-react'
import { dismiss, toasts } from '../data/toasts.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { useCell } from '../ui/cell.ts'

/** The region for results and errors that have no place of their own in the view. */
export function Toasts() {
  const shown = useCell(toasts)
  return (
    <section className="toasts" aria-label={texts.shell.toasts.title}>
      {shown.map(({ id, text, problem, action }) => (
        <div key={id} className="toast" data-problem={problem || undefined} role={problem ? 'alert' : 'status'}>
          <p className="grow">{text}</p>
          {action && (
            <Button
              label={action.label}
              className="quiet"
              onClick={() => {
                dismiss(id)
                action.act()
              }}
            />
          )}
          <Button icon={X} className="quiet icon" aria-label={texts.shell.toasts.dismiss} onClick={() => dismiss(id)} />
        </div>
      ))}
    </section>
  )
}
