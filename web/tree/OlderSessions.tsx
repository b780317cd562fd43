import { usePage, usePageState, useSubmit } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { Problem } from '../ui/Problem.tsx'

/** The button that loads older sessions, while the server has more. */
export function OlderSessions() {
  const page = usePage()
  const more = usePageState((state) => state.moreSessions)
  const load = useSubmit(() => page.loadSessions())
  if (!more) return null
  return (
    <div className="older-sessions">
      <Problem error={load.problem} />
      <Button className="quiet" disabled={load.pending} onClick={() => load.run()}>
        {load.pending ? texts.tree.loadingOlder : texts.tree.older}
      </Button>
    </div>
  )
}
