import { useAgents } from '../../data/queries.ts'
import { texts } from '../../texts/texts.ts'
import { Choice } from '../../ui/Choice.tsx'

type Busy = 'queue' | 'steer' | 'interrupt'

/** The choice of how a prompt is handled while a run is active. */
export function BusyChoice({ agent, value, onChoose }: { agent: string; value: Busy; onChoose: (busy: Busy) => void }) {
  const steers = useAgents().data?.agents.find(({ id }) => id === agent)?.steer === 'prompt'
  const labels = texts.composer.busy
  const options = [
    { value: 'queue', ...labels.queue },
    { value: 'steer', ...labels.steer, ...(!steers && { note: labels.cannotSteer }) },
    { value: 'interrupt', ...labels.interrupt },
  ]
  return <Choice label={labels.title} value={value} options={options} onChoose={(next) => onChoose(next as Busy)} />
}
