import { Link, useParams } from '@tanstack/react-router'
import { useEffect } from 'react'
import { SessionId } from '../../src/model/ids.ts'
import type { Session } from '../../src/model/tree.ts'
import { remember, rememberSeen } from '../data/memory.ts'
import { useAnswer } from '../data/queries.ts'
import { usePage, usePageState } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { Problem } from '../ui/Problem.tsx'
import { SessionView } from './SessionView.tsx'

/** The session of the address, loaded and followed while the route is active. */
export function SessionRoute() {
  const id = useParams({ from: '/s/$session' }).session as SessionId
  const page = usePage()
  const data = usePageState((state) => state.sessions[id])
  const problem = usePageState((state) => (state.open === id ? state.openProblem : null))
  const row = useRow(id)
  useEffect(() => {
    page.show(id)
    remember('session', id)
    return () => page.show(null)
  }, [page, id])
  const head = data?.view.seq ?? 0
  useEffect(() => {
    const look = (): void => {
      if (!document.hidden) rememberSeen(id, head)
    }
    look()
    document.addEventListener('visibilitychange', look)
    return () => document.removeEventListener('visibilitychange', look)
  }, [id, head])
  if (problem || data?.ended) {
    return (
      <div className="empty">
        <h2>{problem?.code === 'not_found' || data?.ended ? texts.session.gone.title : texts.session.failed}</h2>
        {problem && problem.code !== 'not_found' ? <Problem error={problem} /> : <p>{texts.session.gone.text}</p>}
        <div className="row">
          <Button label={texts.ui.tryAgain} onClick={() => page.show(id)} />
          <Link to="/" className="btn">
            {texts.shell.goHome}
          </Link>
        </div>
      </div>
    )
  }
  if (!data || !row) {
    return (
      <p className="empty late" role="status">
        {texts.session.loading}
      </p>
    )
  }
  return <SessionView key={id} data={data} row={row} />
}

/** Returns the session's row. Rows older than those of the workspace are requested. */
function useRow(id: SessionId): Session | undefined {
  const known = usePageState((state) => state.workspace?.sessions[id])
  const enabled = !known && SessionId.safeParse(id).success
  const asked = useAnswer(['session', id], 'sessions.get', { id }, { enabled })
  return known ?? asked.data
}
