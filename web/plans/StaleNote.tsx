import { texts } from '../texts/texts.ts'
import type { Difference } from './selection.ts'

const MOST = 5
const few = (paths: readonly string[]): readonly string[] =>
  paths.length > MOST ? [...paths.slice(0, MOST), '...'] : paths

/** The difference between the plan on the screen and the new plan. */
export function StaleNote({ difference: { added, gone, changed } }: { difference: Difference }) {
  const labels = texts.plans.stale
  return (
    <div className="plan-stale" role="alert">
      <p>{labels.title}</p>
      <ul>
        {added.length > 0 && <li>{labels.added(few(added))}</li>}
        {gone.length > 0 && <li>{labels.gone(few(gone))}</li>}
        {changed.length > 0 && <li>{labels.changed(few(changed))}</li>}
      </ul>
    </div>
  )
}
