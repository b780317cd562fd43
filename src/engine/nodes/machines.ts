import { awaySince, elsewhere, type Machine, type Waits } from '../../model/machine.ts'
import type { Space } from '../../model/tree.ts'
import type { Registration } from '../../store/machine-store.ts'
import type { Store } from '../../store/store.ts'
import type { Log } from '../log.ts'

/** This machine and the others, and the answers about them to callers. */
export interface Machines {
  /** Its name is final after `enter`: another machine may have the wanted one. */
  readonly here: Pick<Machine, 'id' | 'name'>
  /** An embedded database has one machine. */
  readonly alone: boolean
  /** Whether this machine has a Space, and so its folder, its history and its agents' homes. */
  has(space: Pick<Space, 'machine'>): boolean
  list(): Promise<Machine[]>
  /** Returns the machine that a request to another machine waits for; `machine`: its id, or null without one. */
  waits(machine: string | null): Promise<Waits>
  /** @throws unavailable where another machine has one of the Spaces; the message names the machine (N2) */
  refuseElsewhere(spaces: readonly Space[]): Promise<void>
  /** Enters this machine into the database, and from then on says that it is there. Call it once, before any work. */
  enter(): Promise<void>
  /**
   * Whether a process said lately that it is this machine: before `enter`, one on another copy of the data folder. False
   * on an embedded database, which no two processes share.
   */
  isHeard(): Promise<boolean>
  /** Notes the stop of this machine, if it was entered. */
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

/** An embedded database has this machine alone, which has all Spaces. */
export function createMachines({ store, self, ttlMs, now, log }: Parts): Machines {
  const { machines } = store
  const alone = store.engine === 'sqlite'
  let here: Pick<Machine, 'id' | 'name'> = self
  let timer: NodeJS.Timeout | null = null
  let entered = false
  const note = () => machines.heard(here.id, now())
  const failed = (thrown: unknown) => log.warn('This machine could not say that it is there. Trying again.', thrown)
  const has: Machines['has'] = ({ machine }) => alone || machine === here.id
  const waits: Machines['waits'] = async (id) => {
    const machine = id === null ? undefined : (await machines.list()).find((each) => each.id === id)
    return machine ? { machine: machine.name, since: awaySince(machine, now(), ttlMs) } : { machine: null, since: null }
  }
  return {
    get here() {
      return here
    },
    alone,
    has,
    list: machines.list,
    waits,
    async refuseElsewhere(spaces) {
      const other = spaces.find((space) => !has(space))
      if (other) throw elsewhere(other, await waits(other.machine))
    },
    async enter() {
      here = await machines.register(self, now())
      entered = true
      if (alone) await machines.giveAll(here.id, now())
      else timer = setInterval(() => void note().catch(failed), Math.max(100, ttlMs / 3)).unref()
    },
    async isHeard() {
      if (alone) return false
      const known = (await machines.list()).find(({ id }) => id === here.id)
      return known !== undefined && awaySince(known, now(), ttlMs) === null
    },
    async close() {
      clearInterval(timer ?? undefined)
      if (entered && !alone) await machines.left(here.id, now()).catch(failed)
    },
  }
}
