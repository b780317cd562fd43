import type { Run, SessionState } from '../../src/model/tree.ts'
import { overlay } from '../data/overlay.ts'
import { agentName, useAgents, useRuns } from '../data/queries.ts'
import type { SessionData } from '../data/session-data.ts'
import { PortLinks } from '../environment/PortLinks.tsx'
import { clockTime, duration, fullTime } from '../texts/format.ts'
import { texts } from '../texts/texts.ts'
import { Problem } from '../ui/Problem.tsx'
import { StateDot } from '../ui/StateDot.tsx'
import '../environment/environment.css'
import { Button } from '../ui/Button.tsx'
import { usageText } from './usage.ts'

/** The runs of a session, newest first. */
export function RunsPanel({ data, project }: { data: SessionData; project: string }) {
  const { run, lastRun } = data.view
  const runs = useRuns(data.id, `${run?.id}.${run?.state}.${lastRun?.id}`)
  return (
    <>
      <PortLinks project={project} stamp={`${run?.id}.${run?.state}.${lastRun?.id}`} />
      <Problem error={runs.error} />
      {runs.isPending && <p className="panel-note">{texts.ui.loading}</p>}
      {runs.data?.runs.length === 0 && <p className="panel-note">{texts.session.runs.empty}</p>}
      <ul className="runs scroll">
        {runs.data?.runs.map((each) => (
          <RunRow key={each.id} run={each} place={run?.id === each.id ? run.place.path : null} />
        ))}
      </ul>
    </>
  )
}

function RunRow({ run, place }: { run: Run; place: string | null }) {
  const agents = useAgents().data?.agents
  const usage = usageText(run.usage)
  return (
    <li className="run-row">
      <StateDot state={dotOf(run)} label={false} />
      <div className="grow">
        <p className="row">
          <b className="cut grow">{agentName(agents, run.agent)}</b>
          <time className="faint" title={fullTime(run.admittedAt)}>
            {clockTime(run.admittedAt)}
          </time>
        </p>
        <p className="faint">{[stateText(run), usage].filter(Boolean).join(', ')}</p>
        <Button className="quiet run-given" onClick={() => overlay.set({ kind: 'given', run: run.id })}>
          {texts.environment.given.open}
        </Button>
        {place && (
          <p className="faint cut" title={place}>
            {texts.session.runs.place(place)}
          </p>
        )}
      </div>
    </li>
  )
}

function stateText(run: Run): string {
  const { word, took } = texts.session.runs
  const { endedAt, startedAt, admittedAt } = run
  return endedAt === null ? word(run) : took(word(run), duration(endedAt - (startedAt ?? admittedAt)))
}

function dotOf({ state, outcome }: Run): SessionState {
  if (state === 'parked') return 'waiting'
  if (state !== 'ended') return state === 'admitted' ? 'queued' : 'running'
  if (outcome === 'lost') return 'lost'
  return outcome === 'completed' || outcome === 'cancelled' ? 'idle' : 'failed'
}
