/** An exclusive, expiring right to `key`. `token` is a fencing token: it grows with every acquisition (S1). */
export interface Lease {
  readonly key: string
  readonly holder: string
  readonly token: number
  /** ms since 1970 by the holder's clock. */
  readonly expiresAt: number
}

/** A lease to be acquired by the first write under it. */
export interface Claim {
  readonly key: string
  readonly holder: string
  readonly ttlMs: number
}

export interface LeaseStore {
  /** Acquires `key`; null while another holder has it. The same holder may acquire it again, with a new token. */
  acquire(key: string, holder: string, ttlMs: number, now: number): Promise<Lease | null>
  /** Extends a lease. @throws lease_lost when another holder acquired it, or it was released */
  renew(lease: Lease, ttlMs: number, now: number): Promise<Lease>
  /** Renews all leases that are still held, in one statement. A lease missing from the result was lost. */
  renewAll(leases: readonly Lease[], ttlMs: number, now: number): Promise<Lease[]>
  /** Releases a lease (S4); does nothing when it was lost. The token stays. Safe to repeat. */
  release(lease: Lease): Promise<void>
  /** Releases all leases that `holder` left behind in a crash. Only `holder` itself may call it. */
  releaseAll(holder: string): Promise<void>
  /** Returns the lease on `key`, also an expired one; null without a lease. */
  holderOf(key: string): Promise<Lease | null>
}
