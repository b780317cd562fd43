import { Inbox } from 'lucide-react'
import { overlay } from '../../data/overlay.ts'
import { usePageState } from '../../data/use-page.ts'
import { texts } from '../../texts/texts.ts'
import { Button } from '../../ui/Button.tsx'

/** The number of open questions in other sessions. A click opens the inbox over this session. */
export function OthersWaiting({ session }: { session: string }) {
  const others = usePageState(
    (state) => Object.values(state.workspace?.interactions ?? {}).filter((each) => each.session !== session).length,
  )
  if (others === 0) return null
  const labels = texts.inbox.drawer.others(others)
  return (
    <Button
      icon={Inbox}
      className="quiet others-waiting"
      aria-label={labels}
      title={labels}
      onClick={() => overlay.set({ kind: 'inbox' })}
    >
      <span className="badge">{others}</span>
    </Button>
  )
}
