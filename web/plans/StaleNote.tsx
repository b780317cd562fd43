import { texts } from '../texts/texts.ts'
import type { Difference } from './selection.ts'

const MOST = 5
const few = (paths: readonly string[]): readonly string[] =>
  paths.length > MOST ? [...paths.slice(0, MOST), '...'] : paths

/** What became different while somebody looked at a plan. */
export function StaleNote({ difference: { added, gone, changed } }: { difference: Difference }) {
  const words = texts.plans.stale
  return (
    <div className="plan-stale" role="alert">
      <p>{words.title}</p>
      <ul>
        {added.length > 0 && <li>{words.added(few(added))}</li>}
        {gone.length > 0 && <li>{words.gone(few(gone))}</li>}
        {changed.length > 0 && <li>{words.changed(few(changed))}</li>}
      </ul>
    </div>
  )
}
