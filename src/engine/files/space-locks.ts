import { setTimeout as pause } from 'node:timers/promises'
import { CarrelError } from '../../model/errors.ts'
import type { SpaceId } from '../../model/ids.ts'
import type { Who } from '../../model/tree.ts'
import { createSerialByKey } from '../../primitives/serial.ts'
import type { Noted, Store } from '../../store/store.ts'
import type { HeldLease, Leases } from '../leases.ts'

/** Longest wait of a note for the act of another node. ms. */
const PATIENCE_MS = 60_000
const RETRY_MS = 200

/** The exclusive right to write files of a Space and notes into its sessions, across all nodes. */
export class SpaceLocks {
  readonly #store: Store
  readonly #leases: Leases
  readonly #now: () => number
  /** Tasks of one process run one after the other, and the lease excludes other nodes. */
  readonly #queues = createSerialByKey<SpaceId>()
  readonly #acting = new Map<SpaceId, Who>()
  #queued = 0

  constructor(store: Store, leases: Leases, now: () => number) {
    this.#store = store
    this.#leases = leases
    this.#now = now
  }

  /** Acts and notes that wait or run, for `carrel doctor`. */
  get queued(): number {
    return this.#queued
  }

  /** Runs `work` under the lease of the Space. @throws busy while another act runs there, on any node */
  async act<T>(space: SpaceId, by: Who, work: (lease: HeldLease) => Promise<T>): Promise<T> {
    const other = this.#acting.get(space)
    if (other) throw busy(`${other.name} is writing files in this Space. Try again when that is done.`)
    this.#acting.set(space, by)
    try {
      return await this.#inTurn(space, () => this.#leased(space, 0, work))
    } finally {
      this.#acting.delete(space)
    }
  }

  /** Notes in sessions how their files were changed, once no act runs in the Space. */
  note(noted: Noted): Promise<void> {
    const write = (lease: HeldLease) => lease.guard(() => this.#store.log.note(lease.current, noted, this.#now()))
    return this.#inTurn(noted.space, () => this.#leased(noted.space, PATIENCE_MS, write))
  }

  async close(): Promise<void> {
    await this.#queues.idle()
  }

  async #inTurn<T>(space: SpaceId, work: () => Promise<T>): Promise<T> {
    this.#queued += 1
    try {
      return await this.#queues.run(space, work)
    } finally {
      this.#queued -= 1
    }
  }

  async #leased<T>(space: SpaceId, patienceMs: number, work: (lease: HeldLease) => Promise<T>): Promise<T> {
    const lease = await this.#acquire(space, this.#now() + patienceMs)
    try {
      return await work(lease)
    } finally {
      await lease.release()
    }
  }

  async #acquire(space: SpaceId, until: number): Promise<HeldLease> {
    for (;;) {
      const lease = await this.#leases.acquire(`space:${space}`)
      if (lease) return lease
      if (this.#now() >= until) throw busy('Another node is writing files in this Space. Try again in a moment.')
      await pause(RETRY_MS)
    }
  }
}

const busy = (message: string) => new CarrelError('busy', message)
