import { CloudOff, RefreshCw } from 'lucide-react'
import { usePage, usePageState } from '../data/use-page.ts'
import { duration } from '../texts/format.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { useNow } from '../ui/use-now.ts'

/** The banner for a stale page: the connection is cut, or the page is behind the log. */
export function ConnectionBanner() {
  const connection = usePageState((state) => state.connection)
  const page = usePage()
  const cut = connection.state !== 'open'
  const now = useNow(1_000, cut)
  if (!cut) return <Behind />
  // A first connection that takes a moment needs no banner.
  const age = now - connection.since
  if (connection.state === 'connecting' && connection.attempt <= 1 && age < 1_500) return null
  const wait = connection.nextTryAt === null ? 0 : Math.max(0, connection.nextTryAt - now)
  return (
    <div className="banner" role="status">
      <CloudOff className="glyph" aria-hidden />
      <p className="grow">
        <b>{texts.shell.connection.since(duration(Math.floor(age / 1_000) * 1_000).replace('.0', ''))}</b>{' '}
        {texts.shell.connection.asOf}
        {connection.reason && <span className="dim"> {connection.reason}</span>}
      </p>
      {wait > 900 && <span className="faint">{texts.shell.connection.nextTry(Math.ceil(wait / 1_000))}</span>}
      <Button icon={RefreshCw} label={texts.shell.connection.tryNow} onClick={page.retryNow} />
    </div>
  )
}

function Behind() {
  const behind = usePageState((state) => {
    const data = state.open ? state.sessions[state.open] : undefined
    const head = state.open ? state.workspace?.sessions[state.open]?.head : undefined
    return data && head !== undefined && !data.caughtUp ? Math.max(0, head - data.view.seq) : 0
  })
  if (behind === 0) return null
  return (
    <div className="banner late" role="status">
      <RefreshCw className="glyph" aria-hidden />
      <p className="grow">{texts.shell.connection.behind(behind)}</p>
    </div>
  )
}
