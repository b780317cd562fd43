import { Camera, Hand } from 'lucide-react'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
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
        <Button icon={Hand} className="primary" disabled={live.ended || take.pending} onClick={() => take.run()}>
          {labels.takeOver}
        </Button>
      ) : (
        <Button icon={Hand} disabled={live.ended || handBack.pending} onClick={() => handBack.run()}>
          {mine ? labels.handBack : labels.handBackFor(holder.by.name)}
        </Button>
      )}
      <Button icon={Camera} disabled={live.ended || noTab || keep.pending} onClick={() => keep.run()}>
        {labels.keep}
      </Button>
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
