import type { Space } from '../../src/model/tree.ts'
import { useMachineElsewhere } from '../data/queries.ts'
import { texts } from '../texts/texts.ts'

/** Names the machine of a Space where the server of this page has not the Space. `waiting`: prompts wait for it. */
export function MachineNote({ space, waiting = false }: { readonly space: Space; readonly waiting?: boolean }) {
  const machine = useMachineElsewhere(space)
  if (machine === null) return null
  const { none, waits, on, adopt } = texts.places.machine
  const { name, away } = machine
  return (
    <span className={away === null && name !== null ? 'faint' : 'place-missing'} role="status" title={adopt(space.id)}>
      {name === null ? none : waiting ? waits(name, away) : on(name, away)}
    </span>
  )
}
