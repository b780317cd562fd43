import { X } from 'lucide-react'
import { texts } from '../texts/texts.ts'
import { useCell } from '../ui/cell.ts'
import { putAway, toasts } from './toasts.ts'

/** The region of a page where results and failures are said that have no place of their own. */
export function Toasts() {
  const shown = useCell(toasts)
  return (
    <section className="toasts" aria-label={texts.shell.toasts.title}>
      {shown.map(({ id, text, problem, action }) => (
        <div key={id} className="toast" data-problem={problem || undefined} role={problem ? 'alert' : 'status'}>
          <p className="grow">{text}</p>
          {action && (
            <button
              type="button"
              className="btn quiet"
              onClick={() => {
                putAway(id)
                action.act()
              }}
            >
              {action.label}
            </button>
          )}
          <button
            type="button"
            className="btn quiet icon"
            aria-label={texts.shell.toasts.putAway}
            onClick={() => putAway(id)}
          >
            <X aria-hidden />
          </button>
        </div>
      ))}
    </section>
  )
}
