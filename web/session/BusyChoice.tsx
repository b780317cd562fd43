import { useAgents } from '../data/queries.ts'
import { texts } from '../texts/texts.ts'
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
  const words = texts.composer.busy
  const options = [
    { value: 'queue', ...words.queue },
    { value: 'steer', ...words.steer, ...(!steers && { note: words.cannotSteer }) },
    { value: 'interrupt', ...words.interrupt },
  ]
  return <Choice label={words.title} value={value} options={options} onChoose={(next) => onChoose(next as Busy)} />
}
