import { setTimeout as pause } from 'node:timers/promises'
import { CarrelError } from '../../model/errors.ts'
import type { SpaceId } from '../../model/ids.ts'
import type { Who } from '../../model/tree.ts'
import { createSerialByKey } from '../../primitives/serial.ts'
import type { Noted, Store } from '../../store/store.ts'
import type { HeldLease, Leases } from '../leases.ts'

/** Who may touch the files of a Space, and tell its sessions: one at a time, on all nodes. */
export interface SpaceKeeper {
  /** Writes files. @throws busy while another act is carried out there, here or on another node */
  act<T>(space: SpaceId, by: Who, work: (lease: HeldLease) => Promise<T>): Promise<T>
  /** Tells sessions what was done to their files, as soon as nobody writes there. */
  note(noted: Noted): Promise<void>
  /** What waits or is under way, for `carrel doctor`. */
  readonly queued: number
  close(): Promise<void>
}

/** Another node has the Space for as long as its act takes; a note waits for that this long at most. ms. */
const PATIENCE_MS = 60_000
const LOOK_MS = 200

export function createSpaceKeeper(store: Store, leases: Leases, now: () => number): SpaceKeeper {
  const queues = createSerialByKey<SpaceId>()
  const acts = new Map<SpaceId, { by: Who; since: number }>()
  let queued = 0

  /** One at a time in this process; the lease keeps other nodes out. */
  const inLine = async <T>(space: SpaceId, work: () => Promise<T>): Promise<T> => {
    queued += 1
    try {
      return await queues.run(space, work)
    } finally {
      queued -= 1
    }
  }

  const take = async (space: SpaceId, patienceMs: number): Promise<HeldLease> => {
    const until = now() + patienceMs
    for (;;) {
      const lease = await leases.acquire(`space:${space}`)
      if (lease) return lease
      if (now() >= until) throw busy('Another node writes files in this Space at the moment. Try again in a moment.')
      await pause(LOOK_MS)
    }
  }

  const under = async <T>(space: SpaceId, patienceMs: number, work: (lease: HeldLease) => Promise<T>): Promise<T> => {
    const lease = await take(space, patienceMs)
    try {
      return await work(lease)
    } finally {
      await lease.release()
    }
  }

  return {
    async act(space, by, work) {
      const other = acts.get(space)
      if (other) throw busy(`${other.by.name} writes files in this Space at the moment. Look again when that is done.`)
      acts.set(space, { by, since: now() })
      try {
        return await inLine(space, () => under(space, 0, work))
      } finally {
        acts.delete(space)
      }
    },
    note: ({ space, ...rest }) =>
      inLine(space, () =>
        under(space, PATIENCE_MS, (lease) =>
          lease.guard(() => store.log.note(lease.current, { space, ...rest }, now())),
        ),
      ),
    get queued() {
      return queued
    },
    async close() {
      await queues.idle()
    },
  }
}

const busy = (message: string) => new CarrelError('busy', message)
