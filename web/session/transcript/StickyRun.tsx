import type { RunItem } from '../../../src/model/events/items.ts'
import { workTime } from '../../../src/model/state-words.ts'
import { agentName, useAgents } from '../../data/queries.ts'
import type { SessionData } from '../../data/session-data.ts'
import { duration } from '../../texts/format.ts'
import { texts } from '../../texts/texts.ts'
import { StateDot } from '../../ui/StateDot.tsx'
import { Elapsed, Stop } from '../StatusStrip.tsx'
import { textOf } from './Blocks.tsx'
import type { TranscriptRowData } from './rows.ts'

interface Props {
  readonly data: SessionData
  /** The topmost visible row. */
  readonly row: TranscriptRowData | undefined
  readonly agent: string
}

/** The prompt of the visible run, while its own row is scrolled out of sight. */
export function StickyRun({ data, row, agent }: Props) {
  const agents = useAgents().data?.agents
  const run = runAt(data, row)
  const { view } = data
  if (!run || (row?.kind === 'item' && row.item.n === run.n)) return null
  const live = view.run?.id === run.run ? view.run : null
  const waiting = Object.keys(view.open).length > 0
  return (
    <div className="sticky-run">
      <div className="sticky-run-in">
        {live && <StateDot state={waiting ? 'waiting' : 'running'} />}
        <b>{agentName(agents, run.agent ?? agent)}</b>
        <span className="cut dim grow" dir="auto">
          {textOf(run.content).slice(0, 200)}
        </span>
        {live ? (
          <>
            <Elapsed run={live} waiting={waiting} />
            <Stop run={live} />
          </>
        ) : (
          <span className="faint">{endText(run)}</span>
        )}
      </div>
    </div>
  )
}

function endText(run: RunItem): string {
  const { outcome } = run
  const worked = workTime(run)
  const took = worked === null ? '' : duration(worked)
  const how = outcome === null || outcome === 'completed' ? '' : texts.session.runs.word({ state: 'ended', outcome })
  return [how, took].filter(Boolean).join(' ')
}

function runAt({ items, head }: SessionData, row: TranscriptRowData | undefined): RunItem | null {
  if (!row || row.kind === 'new') return null
  for (let at = items.length - 1; at >= 0; at -= 1) {
    const item = items[at]!
    if (item.kind === 'run' && item.n <= row.item.n) return item
  }
  return head
}
