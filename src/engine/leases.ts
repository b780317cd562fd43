import { asCarrelError, CarrelError } from '../model/errors.ts'
import type { Lease, Store } from '../store/store.ts'

/** A lease that is being held, and the signal that says when it is not any more. */
export interface HeldLease {
  /** As last renewed. */
  readonly current: Lease
  /** Aborted when the lease was lost: whoever works under it stops at once and kills what it started (S3). */
  readonly lost: AbortSignal
  /** Says that the lease is of no use any more. */
  lose(reason: CarrelError): void
  /** Renews now, before something is done that cannot be taken back. @throws lease_lost */
  renew(): Promise<void>
  /** Runs a write under the lease; `lease_lost` from the store ends the holding. */
  guard<T>(write: () => Promise<T>): Promise<T>
  release(): Promise<void>
}

export interface LeaseKeeper {
  /** Takes `key`, or null while somebody else has it. */
  acquire(key: string): Promise<HeldLease | null>
  readonly held: number
  close(): Promise<void>
}

interface Entry extends HeldLease {
  current: Lease
}

/**
 * Holds this node's leases and renews them all in one statement, three times in each life of a lease. What could not
 * be renewed until a margin before its end counts as lost: by then another node may take it (S2).
 */
export function createLeaseKeeper(store: Store, holder: string, ttlMs: number, now: () => number): LeaseKeeper {
  const entries = new Map<string, Entry>()
  const taking = new Set<string>()
  const marginMs = Math.min(2_000, ttlMs / 5)

  const beat = async () => {
    const held = [...entries.values()]
    if (held.length === 0) return
    try {
      const renewed = new Map(
        (
          await store.leases.renewAll(
            held.map((entry) => entry.current),
            ttlMs,
            now(),
          )
        ).map((lease) => [lease.key, lease]),
      )
      for (const entry of held) {
        const lease = renewed.get(entry.current.key)
        if (lease && lease.token === entry.current.token) entry.current = lease
        else if (entries.get(entry.current.key) === entry) entry.lose(overtaken(entry.current.key))
      }
    } catch (thrown) {
      // The store did not answer: a lease that is near its end must be given up, the others wait for the next beat.
      const reason = asCarrelError(thrown)
      for (const entry of held) if (entry.current.expiresAt - marginMs <= now()) entry.lose(reason)
    }
  }
  const timer = setInterval(() => void beat(), Math.max(100, ttlMs / 3))
  timer.unref()

  const hold = (lease: Lease): Entry => {
    const lost = new AbortController()
    const entry: Entry = {
      current: lease,
      lost: lost.signal,
      lose(reason) {
        if (entries.get(lease.key) === entry) entries.delete(lease.key)
        lost.abort(reason)
      },
      async renew() {
        entry.current = await entry.guard(() => store.leases.renew(entry.current, ttlMs, now()))
      },
      async guard(write) {
        if (lost.signal.aborted) throw asCarrelError(lost.signal.reason)
        try {
          return await write()
        } catch (thrown) {
          const error = asCarrelError(thrown)
          if (error.code === 'lease_lost') entry.lose(error)
          throw error
        }
      },
      async release() {
        if (entries.get(lease.key) === entry) entries.delete(lease.key)
        await store.leases.release(entry.current)
      },
    }
    entries.set(lease.key, entry)
    return entry
  }

  return {
    async acquire(key) {
      // Two holders in one process would share one name, and the store could not tell them apart.
      if (entries.has(key) || taking.has(key)) return null
      taking.add(key)
      try {
        const lease = await store.leases.acquire(key, holder, ttlMs, now())
        return lease && hold(lease)
      } finally {
        taking.delete(key)
      }
    },
    get held() {
      return entries.size
    },
    async close() {
      clearInterval(timer)
      for (const entry of [...entries.values()]) await entry.release()
    },
  }
}

const overtaken = (key: string) =>
  new CarrelError('lease_lost', `Another node took over ${key}; what this one was doing there was stopped.`, { key })
