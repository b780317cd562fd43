import { useAgents } from '../data/queries.ts'
import { Choice } from '../ui/Choice.tsx'

type Busy = 'queue' | 'steer' | 'interrupt'

interface Props {
  readonly agent: string
  readonly value: Busy
  readonly onChoose: (busy: Busy) => void
}

/** What a prompt does while a run is on. */
export function BusyChoice({ agent, value, onChoose }: Props) {
  const steers = useAgents().data?.agents.find(({ id }) => id === agent)?.steer === 'prompt'
  const options = [
    { value: 'queue', label: 'Queue', note: 'Takes its turn after this run.' },
    {
      value: 'steer',
      label: 'Steer',
      note: steers ? 'Joins the run that is on.' : 'This agent cannot be spoken to in a run: it would wait its turn.',
    },
    { value: 'interrupt', label: 'Interrupt', note: 'Stops the run, then begins.' },
  ]
  return <Choice label="While it runs" value={value} options={options} onChoose={(next) => onChoose(next as Busy)} />
}
