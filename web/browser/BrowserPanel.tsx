import { Link } from '@tanstack/react-router'
import type { BrowserUse } from '../../src/model/browser.ts'
import { asCarrelError } from '../../src/model/errors.ts'
import type { Session } from '../../src/model/tree.ts'
import { usePageState } from '../data/use-page.ts'
import { overlay } from '../shell/overlay.ts'
import { texts } from '../texts/texts.ts'
import { clockTime } from '../ui/format.ts'
import { Problem } from '../ui/Problem.tsx'
import { BrowserLive } from './BrowserLive.tsx'
import { useBrowsers } from './queries.ts'
import './browser.css'

/** The browser that the run of a session has or waits for, and who else has one. */
export function BrowserPanel({ row }: { row: Session }) {
  const { data, error, isPending } = useBrowsers()
  const words = texts.browser
  if (error && !data) return <Problem error={asCarrelError(error)} />
  if (isPending || !data) return <p className="panel-note">{texts.ui.loading}</p>
  const own = data.browsers.find(({ session }) => session === row.id)
  const others = data.browsers.filter((use) => use !== own)
  return (
    <div className="browser-panel scroll">
      {own ? <Own key={own.run} use={own} elsewhere={data.elsewhere} /> : <None space={row.space} />}
      <section className="browser-others" aria-label={words.others}>
        <h2>{words.others}</h2>
        <UseList uses={others} />
        <p className="faint">{words.full(data.taken, data.most)}</p>
      </section>
    </div>
  )
}

function Own({ use, elsewhere }: { use: BrowserUse; elsewhere: boolean }) {
  const words = texts.browser
  if (use.state === 'waiting') return <p className="browser-note">{words.waits(use.before ?? 0)}</p>
  if (elsewhere) return <p className="browser-note">{words.elsewhere}</p>
  return <BrowserLive use={use} />
}

function None({ space }: { space: string }) {
  const { title, text, how, open } = texts.browser.none
  return (
    <div className="browser-none">
      <h2>{title}</h2>
      <p className="dim">{text}</p>
      <p className="dim">{how}</p>
      <button type="button" className="btn" onClick={() => overlay.set({ kind: 'environment', space })}>
        {open}
      </button>
    </div>
  )
}

/** Runs that have a browser or wait for one, each with the way to its session. */
export function UseList({ uses }: { uses: readonly BrowserUse[] }) {
  const words = texts.browser
  const sessions = usePageState((state) => state.workspace?.sessions)
  if (uses.length === 0) return <p className="dim">{words.noOthers}</p>
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
  const words = texts.browser
  return [
    state === 'waiting' ? words.waiting(before ?? 0) : words.states[state],
    ...(replaced > 0 ? [words.replaced(replaced)] : []),
    ...(holder ? [words.takenBy(holder.by.name, clockTime(holder.since))] : []),
  ].join(', ')
}
