import { asCarrelError, CarrelError } from '../model/errors.ts'
import type { Claim, Lease } from '../store/lease.ts'
import type { Store } from '../store/store.ts'

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

/** A lease that may have to be taken still: by asking for it, or with the first write, in one commit. */
export interface ClaimedLease extends HeldLease {
  /** What a write is to be made under. */
  readonly right: Lease | Claim
  readonly taken: boolean
  /** Takes it, where it is not taken yet; false while somebody else has it. */
  take(): Promise<boolean>
  /** A write has taken it. */
  took(lease: Lease): void
}

export interface LeaseKeeper {
  /** Takes `key`, or null while somebody else has it. */
  acquire(key: string): Promise<HeldLease | null>
  /** The same without asking anybody yet: null when it is held here. To be released, taken or not. */
  claim(key: string): ClaimedLease | null
  readonly held: number
  close(): Promise<void>
}

interface Entry extends ClaimedLease {
  current: Lease
}

/**
 * Holds this node's leases and renews them all in one statement, three times in each life of a lease. What could not
 * be renewed until a margin before its end counts as lost: by then another node may take it (S2).
 */
export function createLeaseKeeper(store: Store, holder: string, ttlMs: number, now: () => number): LeaseKeeper {
  const entries = new Map<string, Entry>()
  const claimed = new Set<string>()
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

  const claim = (key: string): Entry | null => {
    // Two holders in one process would share one name, and the store could not tell them apart.
    if (entries.has(key) || claimed.has(key)) return null
    claimed.add(key)
    const lost = new AbortController()
    let right: Lease | Claim = { key, holder, ttlMs }
    const entry: Entry = {
      get right() {
        return right
      },
      get taken() {
        return 'token' in right
      },
      get current() {
        if ('token' in right) return right
        throw new CarrelError('internal', `The lease of ${key} is not taken yet.`)
      },
      set current(lease) {
        right = lease
      },
      lost: lost.signal,
      lose(reason) {
        if (entries.get(key) === entry) entries.delete(key)
        lost.abort(reason)
      },
      took(lease) {
        if ('token' in right) return
        right = lease
        claimed.delete(key)
        entries.set(key, entry)
      },
      async take() {
        const lease = 'token' in right ? right : await store.leases.acquire(key, holder, ttlMs, now())
        if (lease) entry.took(lease)
        return lease !== null
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
        if (!('token' in right)) return void claimed.delete(key)
        if (entries.get(key) === entry) entries.delete(key)
        await store.leases.release(right)
      },
    }
    return entry
  }

  return {
    claim,
    async acquire(key) {
      const entry = claim(key)
      if (!entry) return null
      try {
        return (await entry.take()) ? entry : null
      } finally {
        if (!entry.taken) await entry.release()
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
