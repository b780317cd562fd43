/** The right to do something alone. `token` grows with every acquisition of `key` by anybody, for ever (S1). */
export interface Lease {
  readonly key: string
  readonly holder: string
  readonly token: number
  /** ms since 1970 by the holder's clock. */
  readonly expiresAt: number
}

/** A lease that nobody has been asked for yet: the first write under it takes it. */
export interface Claim {
  readonly key: string
  readonly holder: string
  readonly ttlMs: number
}

export interface LeaseStore {
  /** Takes `key`, or returns null while somebody else holds it. The same holder may take it again; its token grows. */
  acquire(key: string, holder: string, ttlMs: number, now: number): Promise<Lease | null>
  /** @throws lease_lost when somebody took it meanwhile, or it was released */
  renew(lease: Lease, ttlMs: number, now: number): Promise<Lease>
  /** Renews all that are still held, in one statement; what is missing from the result was lost. */
  renewAll(leases: readonly Lease[], ttlMs: number, now: number): Promise<Lease[]>
  /** Gives it back (S4). Safe to repeat; does nothing when it was lost. The token is remembered. */
  release(lease: Lease): Promise<void>
  /** Gives back whatever `holder` has from an earlier life that ended without doing so. Only `holder` itself may ask. */
  releaseAll(holder: string): Promise<void>
  /** The lease that stands on `key` now, run out or not; null when there is none. */
  holderOf(key: string): Promise<Lease | null>
}
