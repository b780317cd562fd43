import { asCarrelError, CarrelError } from '../model/errors.ts'
import type { AwakeClock } from '../primitives/awake-clock.ts'
import { createTimer, retryPause } from '../primitives/timers.ts'
import type { Claim, Lease } from '../store/lease.ts'
import type { Store } from '../store/store.ts'

/** A lease of this node, and the signal that fires when the lease is lost. */
export type HeldLease = Pick<ClaimedLease, 'current' | 'lost' | 'lose' | 'renew' | 'guard' | 'release'>

/** Leases are given up this long before another node may take them. ms. */
const MARGIN_MS = 1_500
/** Pause after a renewal that failed. ms. */
const AGAIN_MS = 250
/** A server that stops waits this long for a store that is away. ms. */
const STOPPING_MS = 2_000

/** `engine`: nobody but this process writes to an embedded store. `awake`: without it, time asleep counts. */
interface LeaseParts extends Pick<Store, 'leases'> {
  readonly engine?: Store['engine']
  readonly awake?: Pick<AwakeClock, 'wokeAt'>
}

interface Node extends LeaseParts {
  readonly holder: string
  /** Lifetime of a lease without renewal, ms: at least the configured time is left of it at any moment. */
  readonly ttlMs: number
  readonly now: () => number
  readonly held: Map<string, ClaimedLease>
  readonly claimed: Set<string>
  /** Latest end of each wait for the store. ms since 1970. */
  waitsUntil: number
}

/**
 * Holds the leases of a node and renews all in one statement, three times in the life of a lease. A lease without a
 * renewal counts as lost a margin before its end, since another node may take it then (S2). After a sleep, and on an
 * embedded store, the token alone decides (S6).
 */
export class Leases {
  readonly #node: Node
  readonly #timer: NodeJS.Timeout
  readonly #again = createTimer({ ref: false })
  /** Error of the last renewal; null after a success. */
  #failure: CarrelError | null = null

  constructor({ leases, engine, awake }: LeaseParts, holder: string, ttlMs: number, now: () => number) {
    const parts = { leases, ...(engine && { engine }), ...(awake && { awake }) }
    const waitsUntil = Number.POSITIVE_INFINITY
    const everyMs = Math.ceil(Math.max(100, ttlMs / 3))
    // An outage may begin just before a renewal: a lease has its time left then, too.
    const lifeMs = ttlMs + everyMs
    this.#node = { ...parts, holder, ttlMs: lifeMs, now, held: new Map(), claimed: new Set(), waitsUntil }
    this.#timer = setInterval(() => void this.#renewAll(), everyMs)
    this.#timer.unref()
  }

  get held(): number {
    return this.#node.held.size
  }

  /** Claims `key` without asking the store; null when this node holds or claims it. Release it, acquired or not. */
  claim(key: string): ClaimedLease | null {
    const { held, claimed } = this.#node
    // Two holders in one process would share one name, and the store could not tell them apart.
    if (held.has(key) || claimed.has(key)) return null
    claimed.add(key)
    return new ClaimedLease(this.#node, key)
  }

  /** Acquires `key`; null while another holder has it. */
  async acquire(key: string): Promise<HeldLease | null> {
    const lease = this.claim(key)
    if (!lease) return null
    try {
      return (await lease.take()) ? lease : null
    } finally {
      if (!lease.taken) await lease.release()
    }
  }

  /** Shortens all waits for a store that is away, because the server stops. */
  hurry(): void {
    this.#node.waitsUntil = this.#node.now() + STOPPING_MS
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#again.stop()
    for (const lease of [...this.#node.held.values()]) await lease.release()
  }

  async #renewAll(): Promise<void> {
    const { leases, ttlMs, now, held } = this.#node
    // A renewal may hang as well as fail.
    this.#giveUp(this.#failure ?? new CarrelError('unavailable', 'The database did not answer in time.'))
    const known = [...held.values()]
    if (known.length === 0) return
    try {
      const current = known.map((lease) => lease.current)
      const renewed = new Map((await leases.renewAll(current, ttlMs, now())).map((lease) => [lease.key, lease]))
      this.#failure = null
      for (const lease of known) lease.renewedAs(renewed.get(lease.key))
    } catch (thrown) {
      this.#failure = asCarrelError(thrown)
      this.#giveUp(this.#failure)
      // The next regular renewal may come too late after a short outage.
      this.#again.start(AGAIN_MS, () => void this.#renewAll())
    }
  }

  /** Without an answer of the store, leases near their end are given up; the others wait for the next renewal. */
  #giveUp(reason: CarrelError): void {
    const { held, now } = this.#node
    for (const lease of [...held.values()]) if (lease.safeUntil <= now()) lease.lose(reason)
  }
}

/** A lease that this node may not have acquired yet. The first write acquires it in its own commit, or `take` does. */
export class ClaimedLease {
  readonly key: string
  readonly #node: Node
  readonly #lost = new AbortController()
  #right: Lease | Claim

  constructor(node: Node, key: string) {
    this.key = key
    this.#node = node
    this.#right = { key, holder: node.holder, ttlMs: node.ttlMs }
  }

  /** The lease, or the claim to it, that the next write names. */
  get right(): Lease | Claim {
    return this.#right
  }

  get taken(): boolean {
    return 'token' in this.#right
  }

  get current(): Lease {
    if ('token' in this.#right) return this.#right
    throw new CarrelError('internal', `The lease of ${this.key} is not taken yet.`)
  }

  /** Aborted when the lease is lost: work under it stops at once and kills the processes that it started (S3). */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  lose(reason: CarrelError): void {
    this.#forget()
    this.#lost.abort(reason)
  }

  took(lease: Lease): void {
    if (this.taken) return
    this.#right = lease
    this.#node.claimed.delete(this.key)
    this.#node.held.set(this.key, this)
  }

  /** Acquires the lease unless this node has it already; false while another node holds it. */
  async take(): Promise<boolean> {
    if (this.taken) return true
    const { leases, holder, ttlMs, now } = this.#node
    const lease = await leases.acquire(this.key, holder, ttlMs, now())
    if (lease) this.took(lease)
    return lease !== null
  }

  /** Time up to which no other node may act under this lease, whatever the store answers. ms since 1970. */
  get safeUntil(): number {
    const { engine, ttlMs, now, awake } = this.#node
    if (engine === 'sqlite') return Number.POSITIVE_INFINITY
    const expiresAt = 'token' in this.#right ? this.#right.expiresAt : now() + ttlMs
    // Whether another node took it during a sleep shows at the next renewal, which needs its time.
    const renewable = awake ? awake.wokeAt() + ttlMs : 0
    return Math.max(expiresAt, renewable) - Math.min(MARGIN_MS, ttlMs / 6)
  }

  /** Renews the lease now, before a step that cannot be undone. Waits like `persist`. @throws lease_lost */
  async renew(): Promise<void> {
    const { leases, ttlMs, now } = this.#node
    this.#right = await this.persist(() => leases.renew(this.current, ttlMs, now()))
  }

  /** Takes over the renewed lease; undefined, or another token, means that another node holds the key. */
  renewedAs(lease: Lease | undefined): void {
    if (lease && lease.token === this.current.token) this.#right = lease
    else if (this.#node.held.get(this.key) === this) this.lose(overtaken(this.key))
  }

  /**
   * Runs a write under the lease. A lease that expired, and that nobody took since, is renewed late and the write
   * repeated: it was refused, so nothing was written (S6). A `lease_lost` marks the lease as lost.
   */
  async guard<T>(write: () => Promise<T>): Promise<T> {
    for (let late = false; ; late = true) {
      if (this.lost.aborted) throw asCarrelError(this.lost.reason)
      try {
        return await write()
      } catch (thrown) {
        const error = asCarrelError(thrown)
        if (error.code !== 'lease_lost') throw error
        if (late || !(await this.#renewsLate())) {
          this.lose(error)
          throw error
        }
      }
    }
  }

  /**
   * Runs a write under the lease, and again while the store is away, for as long as no other node may act. `again` is
   * true when an earlier try may have written. @throws unavailable after that time; the lease is lost then
   */
  async persist<T>(write: (again: boolean) => Promise<T>): Promise<T> {
    // Without a lease, the time counts from now.
    const begun = this.safeUntil
    for (let tries = 0; ; tries += 1) {
      try {
        return await this.guard(() => write(tries > 0))
      } catch (thrown) {
        const error = asCarrelError(thrown)
        if (error.code !== 'unavailable' || this.lost.aborted) throw error
        const { now, waitsUntil } = this.#node
        if (Math.min(this.taken ? this.safeUntil : begun, waitsUntil) <= now()) {
          this.lose(error)
          throw error
        }
      }
      await retryPause(tries)
    }
  }

  /** @throws unavailable when the store cannot tell */
  async #renewsLate(): Promise<boolean> {
    const { leases, ttlMs, now } = this.#node
    try {
      this.#right = await leases.renew(this.current, ttlMs, now())
      return true
    } catch (thrown) {
      const error = asCarrelError(thrown)
      if (error.code === 'unavailable') throw error
      return false
    }
  }

  async release(): Promise<void> {
    if (!this.taken) return void this.#node.claimed.delete(this.key)
    this.#forget()
    await this.#node.leases.release(this.current)
  }

  #forget(): void {
    if (this.#node.held.get(this.key) === this) this.#node.held.delete(this.key)
  }
}

const overtaken = (key: string) =>
  new CarrelError('lease_lost', `Another node took over ${key}; this node stopped its work there.`, { key })
