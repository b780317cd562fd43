import { Link } from '@tanstack/react-router'
import type { BrowserUse } from '../../src/model/browser.ts'
import type { Session } from '../../src/model/tree.ts'
import { overlay } from '../data/overlay.ts'
import { usePageState } from '../data/use-page.ts'
import { clockTime } from '../texts/format.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { Problem } from '../ui/Problem.tsx'
import { BrowserLive } from './BrowserLive.tsx'
import { useBrowsers } from './queries.ts'
import './browser.css'

/** The browser of the session's run, or its position in the queue, and the other browsers in use. */
export function BrowserPanel({ row }: { row: Session }) {
  const { data, error, isPending } = useBrowsers()
  const labels = texts.browser
  if (error && !data) return <Problem error={error} />
  if (isPending || !data) return <p className="panel-note">{texts.ui.loading}</p>
  const own = data.browsers.find(({ session }) => session === row.id)
  const others = data.browsers.filter((use) => use !== own)
  return (
    <div className="browser-panel scroll">
      {own ? <Own key={own.run} use={own} elsewhere={data.elsewhere} /> : <None space={row.space} />}
      <section className="browser-others" aria-label={labels.others}>
        <h2>{labels.others}</h2>
        <UseList uses={others} />
        <p className="faint">{labels.full(data.taken, data.most)}</p>
      </section>
    </div>
  )
}

function Own({ use, elsewhere }: { use: BrowserUse; elsewhere: boolean }) {
  const labels = texts.browser
  if (use.state === 'waiting') return <p className="browser-note">{labels.waits(use.before ?? 0)}</p>
  if (elsewhere) return <p className="browser-note">{labels.elsewhere}</p>
  return <BrowserLive use={use} />
}

function None({ space }: { space: string }) {
  const { title, text, how, open } = texts.browser.none
  return (
    <div className="browser-none">
      <h2>{title}</h2>
      <p className="dim">{text}</p>
      <p className="dim">{how}</p>
      <Button label={open} onClick={() => overlay.set({ kind: 'environment', space })} />
    </div>
  )
}

function UseList({ uses }: { uses: readonly BrowserUse[] }) {
  const labels = texts.browser
  const sessions = usePageState((state) => state.workspace?.sessions)
  if (uses.length === 0) return <p className="dim">{labels.noOthers}</p>
  return (
    <ul className="browser-uses">
      {uses.map((use) => (
        <li key={use.run}>
          <Link to="/s/$session" params={{ session: use.session }} className="cut">
            {sessions?.[use.session]?.name ?? use.session}
          </Link>
          <span className="faint">{moreOf(use)}</span>
        </li>
      ))}
    </ul>
  )
}

function moreOf({ state, replaced, holder, before }: BrowserUse): string {
  const labels = texts.browser
  return [
    state === 'waiting' ? labels.waiting(before ?? 0) : labels.states[state],
    ...(replaced > 0 ? [labels.replaced(replaced)] : []),
    ...(holder ? [labels.takenBy(holder.by.name, clockTime(holder.since))] : []),
  ].join(', ')
}
