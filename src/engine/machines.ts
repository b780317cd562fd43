import { awaySince, elsewhere, type Machine, type Waits } from '../model/machine.ts'
import type { Space } from '../model/tree.ts'
import type { Registration } from '../store/machine-store.ts'
import type { Store } from '../store/store.ts'
import type { Log } from './log.ts'

/** This machine and the others, and the answers about them to callers. */
export interface Machines {
  readonly here: Pick<Machine, 'id' | 'name'>
  /** Whether this machine has a Space, and so its folder, its history and its agents' homes. */
  has(space: Pick<Space, 'machine'>): boolean
  list(): Promise<Machine[]>
  /** Returns the machine that a request to another machine waits for; `machine`: its id, or null without one. */
  waits(machine: string | null): Promise<Waits>
  /** @throws unavailable where another machine has one of the Spaces; the message names the machine (N2) */
  refuseElsewhere(spaces: readonly Space[]): Promise<void>
  /** Notes the stop of this machine. */
  close(): Promise<void>
}

interface Parts {
  readonly store: Store
  readonly self: Registration
  /** A machine that was not heard for this time is away. ms. */
  readonly ttlMs: number
  readonly now: () => number
  readonly log: Pick<Log, 'warn'>
}

/** Enters this machine into the database. An embedded database has this machine alone, which has all Spaces. */
export async function openMachines({ store, self, ttlMs, now, log }: Parts): Promise<Machines> {
  const { machines } = store
  const alone = store.engine === 'sqlite'
  const here = await machines.register(self, now())
  if (alone) await machines.giveAll(here.id, now())
  const note = () => machines.heard(here.id, now())
  const failed = (thrown: unknown) => log.warn('This machine could not say that it is there. Trying again.', thrown)
  const timer = alone ? null : setInterval(() => void note().catch(failed), Math.max(100, ttlMs / 3))
  timer?.unref()
  const has: Machines['has'] = ({ machine }) => machine === here.id
  const waits: Machines['waits'] = async (id) => {
    const machine = id === null ? undefined : (await machines.list()).find((each) => each.id === id)
    return machine ? { machine: machine.name, since: awaySince(machine, now(), ttlMs) } : { machine: null, since: null }
  }
  return {
    here,
    has,
    list: machines.list,
    waits,
    async refuseElsewhere(spaces) {
      const other = spaces.find((space) => !has(space))
      if (other) throw elsewhere(other, await waits(other.machine))
    },
    async close() {
      clearInterval(timer ?? undefined)
      if (!alone) await machines.left(here.id, now()).catch(failed)
    },
  }
}
