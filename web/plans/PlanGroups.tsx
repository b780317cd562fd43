import { useState } from 'react'
import { onlyUnwatched } from '../../src/model/files/authorship.ts'
import { onlyLeft } from '../../src/model/files/conflicts.ts'
import type { PlanEntry, PlanRequest } from '../../src/model/files/history.ts'
import { GapList } from '../files/GapsDialog.tsx'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { PlanRow } from './PlanRow.tsx'
import type { Planning } from './use-planning.ts'

interface Props {
  readonly project: string
  readonly request: PlanRequest
  readonly planning: Planning
}

/** The number of rows before "Show more". */
const FIRST = 100

/** The entries of a plan, undecided ones first. */
export function PlanGroups(props: Props) {
  const { plan, groups } = props.planning
  const labels = texts.plans.groups
  if (!plan || !groups) return null
  return (
    <>
      <Group
        {...props}
        title={labels.asks}
        note={labels.asksNote}
        entries={groups.asks.filter((entry) => !onlyUnwatched(entry))}
        asks
      />
      <Group
        {...props}
        title={labels.unwatched}
        note={labels.unwatchedNote}
        entries={groups.asks.filter(onlyUnwatched)}
        asks
        atOnce
      />
      <Group {...props} title={labels.merges} note={labels.mergesNote} entries={groups.merges} />
      <Group {...props} title={labels.writes} entries={groups.writes} />
      {plan.gaps.length > 0 && (
        <section className="plan-group">
          <h3>
            {labels.gaps} <span className="faint">{plan.gaps.length}</span>
          </h3>
          <p className="faint">{labels.gapsNote}</p>
          <GapList gaps={plan.gaps} />
        </section>
      )}
    </>
  )
}

interface GroupProps extends Props {
  readonly title: string
  readonly note?: string
  readonly entries: readonly PlanEntry[]
  readonly asks?: boolean
  /** The entries are alike: one decision is offered for any number of them. */
  readonly atOnce?: boolean
}

function Group({ title, note, entries, asks = false, atOnce = false, ...more }: GroupProps) {
  const [most, setMost] = useState(FIRST)
  if (entries.length === 0) return null
  const left = entries.length - most
  return (
    <section className="plan-group" aria-label={title} data-asks={asks || undefined}>
      <h3>
        {title} <span className="faint">{entries.length}</span>
      </h3>
      {note && <p className="faint">{note}</p>}
      {asks && <ForAll entries={entries} planning={more.planning} from={atOnce ? 2 : 3} />}
      <ul>
        {entries.slice(0, most).map((entry) => (
          <PlanRow key={entry.path} {...more} entry={entry} />
        ))}
      </ul>
      {left > 0 && (
        <Button label={texts.plans.more(left)} className="quiet diff-more" onClick={() => setMost(most + 500)} />
      )}
    </section>
  )
}

interface ForAllProps {
  readonly entries: readonly PlanEntry[]
  readonly planning: Planning
  /** Number of entries from which one decision is offered. */
  readonly from: number
}

/** One decision for many paths. The request still names each path. */
function ForAll({ entries, planning: { selection, select }, from }: ForAllProps) {
  const labels = texts.plans
  const free = entries.filter((entry) => !onlyLeft(entry))
  if (free.length < from) return null
  const all = (word: 'overwrite' | 'leave') => (): void =>
    select({ decisions: { ...selection.decisions, ...Object.fromEntries(free.map(({ path }) => [path, word])) } })
  return (
    <p className="row wrap">
      <span className="faint">{labels.allOf}</span>
      <Button label={labels.overwriteAll} className="quiet" onClick={all('overwrite')} />
      <Button label={labels.leaveAll} className="quiet" onClick={all('leave')} />
    </p>
  )
}
