import { Square } from 'lucide-react'
import type { RunView, SessionView } from '../../src/model/events/view.ts'
import { useBrowsers } from '../browser/queries.ts'
import { agentName, useAgents } from '../data/queries.ts'
import { usePage, useSubmit } from '../data/use-page.ts'
import { compact, duration } from '../texts/format.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { Problem } from '../ui/Problem.tsx'
import { StateDot } from '../ui/StateDot.tsx'
import { useNow } from '../ui/use-now.ts'
import { useSession } from './session-context.ts'
import { costText } from './usage.ts'

/** The state of the session above the composer, with the button that stops its run. */
export function StatusStrip({ view }: { view: SessionView }) {
  const agents = useAgents().data?.agents
  const { run } = view
  const questions = Object.keys(view.open).length
  if (!run) return questions > 0 || backgroundOf(view) ? <Background view={view} /> : <Fill view={view} />
  const name = agentName(agents, run.agent)
  return (
    <div className="status-strip" role="status">
      <StateDot state={questions > 0 ? 'waiting' : run.state === 'admitted' ? 'queued' : 'running'} label={false} />
      <span className="cut">
        {questions === 0 && run.state === 'admitted' && !run.cancelling ? (
          <Starting run={run} name={name} />
        ) : (
          statusText(run, name, questions)
        )}
      </span>
      <Elapsed run={run} waiting={questions > 0} />
      <span className="grow" />
      <Stop run={run} />
    </div>
  )
}

/** The agent that goes on after its run; null for none. */
function backgroundOf({ agents }: SessionView): { agent: string; work: readonly string[] } | null {
  const found = Object.entries(agents).find(([, { background }]) => background.length > 0)
  return found ? { agent: found[0], work: found[1].background } : null
}

/** The work of an agent after its run, and its questions. */
function Background({ view }: { view: SessionView }) {
  const agents = useAgents().data?.agents
  const { status } = texts.session
  const asks = Object.values(view.open)
  const going = backgroundOf(view)
  const name = agentName(agents, asks[0]?.agent ?? going?.agent ?? '')
  return (
    <div className="status-strip" role="status">
      <StateDot state={asks.length > 0 ? 'waiting' : 'running'} label={false} />
      <span className="cut">
        {asks.length > 0 ? status.waiting(name, asks.length) : status.background(name, going?.work ?? [])}
      </span>
    </div>
  )
}

function statusText(run: RunView, name: string, questions: number): string {
  const { status } = texts.session
  if (run.cancelling) return status.stopping(name)
  if (questions > 0) return status.waiting(name, questions)
  if (run.state === 'parked') return status.parked(name)
  return status.working(name)
}

/** The reason of a start is requested only after this time. ms. */
const LONG_MS = 1_000

/** The reason why a start takes long: its position in the queue for a browser. */
function Starting({ run, name }: { run: RunView; name: string }) {
  const { live } = useSession()
  const long = useNow(LONG_MS, live) - run.admittedAt > LONG_MS
  const use = useBrowsers(long).data?.browsers.find((each) => each.run === run.id)
  const { starting, queued } = texts.session.status
  return use?.state === 'waiting' ? queued(use.before ?? 0) : starting(name)
}

export function Elapsed({ run, waiting }: { run: RunView; waiting: boolean }) {
  const { live } = useSession()
  const now = useNow(1_000, live && !waiting)
  const seconds = Math.floor((now - (run.startedAt ?? run.admittedAt)) / 1_000)
  if (waiting || seconds < 1) return null
  return (
    <span className="faint elapsed" aria-hidden>
      {duration(seconds * 1_000).replace('.0', '')}
    </span>
  )
}

export function Stop({ run }: { run: RunView }) {
  const page = usePage()
  const { session, workspace } = useSession()
  const stop = useSubmit(() => page.call('sessions.cancel', { workspace, id: session, run: run.id }))
  return (
    <>
      <Problem error={stop.problem} />
      <Button icon={Square} disabled={stop.pending || run.cancelling} onClick={() => stop.run()}>
        {texts.session.status.stop}
      </Button>
    </>
  )
}

/** Without a run: the used part of the agent's context, if the agent reports it. */
function Fill({ view }: { view: SessionView }) {
  const usage = view.agent ? view.agents[view.agent]?.usage : null
  if (!usage || usage.size === 0) return null
  const cost = costText(usage.cost)
  return (
    <p className="status-strip quiet faint">
      {texts.session.status.context(compact(usage.used), compact(usage.size))}
      {cost && texts.session.status.cost(cost)}
    </p>
  )
}
