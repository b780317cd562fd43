import { Inbox } from 'lucide-react'
import { usePageState } from '../data/use-page.ts'
import { overlay } from '../shell/overlay.ts'
import { texts } from '../texts/texts.ts'

/** Says in a session that others wait for an answer, too, and brings their questions over it. */
export function OthersWaiting({ session }: { session: string }) {
  const others = usePageState(
    (state) => Object.values(state.workspace?.interactions ?? {}).filter((each) => each.session !== session).length,
  )
  if (others === 0) return null
  const words = texts.inbox.drawer.others(others)
  return (
    <button
      type="button"
      className="btn quiet others-waiting"
      aria-label={words}
      title={words}
      onClick={() => overlay.set({ kind: 'inbox' })}
    >
      <Inbox aria-hidden />
      <span className="badge">{others}</span>
    </button>
  )
}
