import { GitFork } from 'lucide-react'
import { memo } from 'react'
import type { RunItem } from '../../../src/model/events/items.ts'
import { workTime } from '../../../src/model/state-words.ts'
import type { RunOutcome, SessionState } from '../../../src/model/tree.ts'
import { duration } from '../../texts/format.ts'
import { texts } from '../../texts/texts.ts'
import { IconButton } from '../../ui/Button.tsx'
import { Fold } from '../../ui/Fold.tsx'
import { Problem } from '../../ui/Problem.tsx'
import { StateDot } from '../../ui/StateDot.tsx'
import { useFork } from '../Actions.tsx'
import { usageText } from '../usage.ts'

/** The end of a run: outcome, time and cost, and for a failure its reason and the next step. */
export const RunEnd = memo(function RunEnd({ item }: { item: RunItem }) {
  const fork = useFork()
  const outcome = item.outcome ?? 'lost'
  const worked = workTime(item)
  const took = worked === null ? null : duration(worked)
  const usage = usageText(item.usage)
  const dot: SessionState =
    outcome === 'lost' ? 'lost' : outcome === 'completed' || outcome === 'cancelled' ? 'idle' : 'failed'
  return (
    <footer className="run-end">
      <p className="run-end-line">
        <span className="run-outcome">
          {dot !== 'idle' && <StateDot state={dot} label={false} />}
          <span className={dot === 'idle' ? '' : 'run-bad'}>{outcomeText(outcome)}</span>
        </span>
        {took && <span>{took}</span>}
        {usage && <span>{usage}</span>}
        {item.stopReason && !['end_turn', 'cancelled'].includes(item.stopReason) && <span>{item.stopReason}</span>}
        <IconButton
          icon={GitFork}
          label={texts.transcript.run.fork}
          className="small"
          disabled={fork.pending}
          onClick={() => fork.run(item.seq)}
        />
      </p>
      {item.error && <RunError n={item.n} error={item.error} />}
      {item.halfDone.length > 0 && (
        <div className="half-done">
          <p>{texts.transcript.run.halfDone(item.halfDone.length)}</p>
          <ul>
            {item.halfDone.map(({ toolCallId, title, status }) => (
              <li key={toolCallId}>
                {title || toolCallId} <span className="faint">({texts.transcript.step(status)})</span>
              </li>
            ))}
          </ul>
        </div>
      )}
      <Problem error={fork.problem} />
    </footer>
  )
})

function outcomeText(outcome: RunOutcome): string {
  const notes: Partial<Record<RunOutcome, string>> = texts.transcript.run.notes
  const word = texts.session.runs.word({ state: 'ended', outcome })
  return notes[outcome] ? `${word}: ${notes[outcome]}` : word
}

function RunError({ n, error }: { n: number; error: NonNullable<RunItem['error']> }) {
  return (
    <div className="problem">
      <p>{error.message}</p>
      {error.next && <p className="dim">{error.next}</p>}
      {error.stderr && (
        <Fold id={`stderr.${n}`} head={<span>{texts.transcript.run.stderr}</span>}>
          {() => <pre className="output scroll">{error.stderr}</pre>}
        </Fold>
      )}
    </div>
  )
}
