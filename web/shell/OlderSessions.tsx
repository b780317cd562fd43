import { usePage, usePageState, useSubmit } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Problem } from '../ui/Problem.tsx'

/** Brings the sessions that are older than those shown, as long as there are any. */
export function OlderSessions() {
  const page = usePage()
  const more = usePageState((state) => state.moreSessions)
  const load = useSubmit(() => page.loadSessions())
  if (!more) return null
  return (
    <div className="older-sessions">
      <Problem error={load.problem} />
      <button type="button" className="btn quiet" disabled={load.pending} onClick={() => load.run()}>
        {load.pending ? texts.tree.loadingOlder : texts.tree.older}
      </button>
    </div>
  )
}
