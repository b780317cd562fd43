import { Link, Outlet, useParams, useRouter } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { inboxOf } from '../data/tree.ts'
import { usePage, usePageState } from '../data/use-page.ts'
import { useNews } from '../notify/use-news.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { Empty } from '../ui/Empty.tsx'
import { Problem } from '../ui/Problem.tsx'
import { ConnectionBanner } from './ConnectionBanner.tsx'
import { LoginView } from './LoginView.tsx'
import { Overlays } from './Overlays.tsx'
import { PausedBanner } from './PausedBanner.tsx'
import { PhoneBar } from './PhoneBar.tsx'
import { Rail } from './Rail.tsx'
import { Toasts } from './Toasts.tsx'
import { useShortcuts } from './use-shortcuts.ts'
import './shell.css'

/** The frame of every view: sidebar, view and connection banner. */
export function Shell() {
  const phase = usePageState((state) => state.phase)
  const problem = usePageState((state) => state.problem)
  const page = usePage()
  if (phase === 'login') return <LoginView />
  if (phase === 'broken') {
    return (
      <main className="alone">
        <h1>{texts.shell.broken.title}</h1>
        <Problem error={problem} />
        <p className="dim">{texts.shell.broken.next}</p>
        <Button label={texts.ui.tryAgain} className="primary" onClick={() => void page.start()} />
      </main>
    )
  }
  if (phase === 'loading') return <Loading />
  return <Frame />
}

function Loading() {
  return (
    <div className="shell" aria-busy>
      <div className="rail" />
      <main className="main">
        <p className="empty late" role="status">
          {texts.shell.loading}
        </p>
      </main>
    </div>
  )
}

function Frame() {
  const router = useRouter()
  const [rail, setRail] = useState(false)
  // On a phone the sidebar is a view of its own. Every navigation closes it, also one to the current view.
  useEffect(() => router.subscribe('onBeforeLoad', () => setRail(false)), [router])
  const live = usePageState((state) => state.connection.state === 'open')
  const questions = usePageState((state) => Object.keys(state.workspace?.interactions ?? {}).length)
  const first = usePageState((state) => (state.workspace ? inboxOf(state.workspace)[0] : undefined))
  useTitle(questions)
  useShortcuts()
  useNews()
  return (
    <div className="shell" data-rail={rail || undefined} data-stale={!live || undefined}>
      <a className="skip" href="#main">
        {texts.shell.skip}
      </a>
      <PausedBanner />
      <Rail questions={questions} />
      <main className="main" id="main" tabIndex={-1}>
        <ConnectionBanner />
        <Outlet />
      </main>
      <PhoneBar rail={rail} questions={questions} onRail={() => setRail(!rail)} />
      <Toasts />
      <Overlays />
      <p className="hidden" role="status" aria-live="polite">
        {first && texts.shell.asked(questions, first.question.title)}
      </p>
    </div>
  )
}

/** Shows the number of open questions and the open session in the tab's title. */
function useTitle(questions: number): void {
  const { session } = useParams({ strict: false })
  const name = usePageState((state) => (session ? state.workspace?.sessions[session]?.name : undefined))
  useEffect(() => {
    document.title = texts.shell.title(questions, name)
  }, [questions, name])
}

export function NotFound() {
  return (
    <Empty title={texts.shell.nothingHere}>
      <Link to="/" className="btn">
        {texts.shell.goHome}
      </Link>
    </Empty>
  )
}
