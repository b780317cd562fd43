import { Camera, Hand } from 'lucide-react'
import { texts } from '../texts/texts.ts'
import { useNow } from '../ui/use-now.ts'
import type { Live } from './live.ts'
import type { Control } from './use-control.ts'

/** The row of buttons above the picture, with the state of the connection. */
export function BrowserTools({ live, control }: { live: Live; control: Control }) {
  const { holder, mine, take, handBack, keep } = control
  const labels = texts.browser
  const noTab = !live.scene?.tabs.some(({ id }) => id === live.scene?.shown)
  return (
    <div className="browser-tools">
      {holder === null ? (
        <button type="button" className="btn primary" disabled={live.ended || take.pending} onClick={() => take.run()}>
          <Hand aria-hidden /> {labels.takeOver}
        </button>
      ) : (
        <button type="button" className="btn" disabled={live.ended || handBack.pending} onClick={() => handBack.run()}>
          <Hand aria-hidden /> {mine ? labels.handBack : labels.handBackFor(holder.by.name)}
        </button>
      )}
      <button type="button" className="btn" disabled={live.ended || noTab || keep.pending} onClick={() => keep.run()}>
        <Camera aria-hidden /> {labels.keep}
      </button>
      <span className="grow" />
      <ViewState live={live} />
    </div>
  )
}

function ViewState({ live }: { live: Live }) {
  const labels = texts.browser
  const now = useNow(1_000, !live.open && !live.ended)
  if (live.ended) return <span className="browser-state">{labels.ended}</span>
  if (!live.open)
    return (
      <span className="browser-state" data-state="stale">
        {live.cutAt === null ? labels.connecting : labels.stale(Math.max(0, Math.round((now - live.cutAt) / 1_000)))}
      </span>
    )
  if (live.scene?.state === 'starting') return <span className="browser-state">{labels.starting}</span>
  if (live.frame === null) return <span className="browser-state">{labels.nothing}</span>
  return (
    <span className="browser-state" data-state="live">
      {labels.live}
    </span>
  )
}
