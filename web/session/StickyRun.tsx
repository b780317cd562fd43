import type { Item, RunItem } from '../../src/model/items.ts'
import { agentName, useAgents } from '../data/queries.ts'
import { StateDot } from '../ui/StateDot.tsx'
import { textOf } from './Blocks.tsx'
import type { Row } from './rows.ts'

interface Props {
  readonly items: readonly Item[]
  /** The topmost row in sight. */
  readonly row: Row | undefined
  readonly agent: string
  readonly waiting: boolean
}

/** Which run one is reading, while its beginning is out of sight. */
export function StickyRun({ items, row, agent, waiting }: Props) {
  const agents = useAgents().data?.agents
  const run = runAt(items, row)
  if (!run || (row?.kind === 'item' && row.item.n === run.n)) return null
  const live = run.state !== 'ended'
  return (
    <div className="sticky-run">
      <div className="sticky-run-in">
        {live && <StateDot state={waiting ? 'waiting' : 'running'} label={false} />}
        <b>{agentName(agents, run.agent ?? agent)}</b>
        <span className="cut dim">{textOf(run.content).slice(0, 200)}</span>
      </div>
    </div>
  )
}

function runAt(items: readonly Item[], row: Row | undefined): RunItem | null {
  if (!row || row.kind === 'new') return null
  for (let at = items.length - 1; at >= 0; at -= 1) {
    const item = items[at]!
    if (item.kind === 'run' && item.n <= row.item.n) return item
  }
  return null
}
