import { CarrelError } from '../../model/errors.ts'
import type { SessionId, SpaceId } from '../../model/ids.ts'
import type { Claim, Lease } from '../lease.ts'
import type { Tx } from './tx.ts'

interface LeaseRow {
  readonly lease_key: string
  readonly holder: string
  readonly token: number
  readonly expires_at: number
}

const COLUMNS = 'lease_key, holder, token, expires_at'
/** Nobody holds it. The row stays, since its token must only grow (S1). */
const RELEASED = ''

/** The lease that lets its holder touch the files of a Space, and tell the sessions there. */
export const spaceLease = (space: SpaceId): string => `space:${space}`

/** The lease that lets its holder write to a session's log. */
export const sessionLease = (session: SessionId): string => `session:${session}`

const toLease = (row: LeaseRow): Lease => ({
  key: row.lease_key,
  holder: row.holder,
  token: row.token,
  expiresAt: row.expires_at,
})

/**
 * One statement, so two nodes cannot both win. Every success raises the token, also when the same holder takes
 * the key again: a write still in flight from its earlier life is fenced off.
 */
export async function acquire(
  tx: Tx,
  { key, holder, ttlMs, now }: { key: string; holder: string; ttlMs: number; now: number },
): Promise<Lease | null> {
  if (holder === RELEASED) throw new CarrelError('bad_input', 'The holder of a lease needs a name.')
  const row = await tx.get<LeaseRow>(
    `insert into leases (${COLUMNS}) values ($1, $2, 1, $3)
     on conflict (lease_key) do update
       set holder = excluded.holder, token = leases.token + 1, expires_at = excluded.expires_at
       where leases.expires_at <= $4 or leases.holder = excluded.holder
     returning ${COLUMNS}`,
    key,
    holder,
    now + ttlMs,
    now,
  )
  return row ? toLease(row) : null
}

export async function renew(
  tx: Tx,
  { lease, ttlMs, now }: { lease: Lease; ttlMs: number; now: number },
): Promise<Lease> {
  const row = await tx.get<LeaseRow>(
    `update leases set expires_at = $4 where lease_key = $1 and holder = $2 and token = $3 returning ${COLUMNS}`,
    lease.key,
    lease.holder,
    lease.token,
    now + ttlMs,
  )
  if (!row) throw leaseLost(lease.key)
  return toLease(row)
}

/** How many leases one statement renews: few sizes, so that few statements are prepared. */
const SIZES = [1, 10, 100]

export async function renewAll(
  tx: Tx,
  { leases, ttlMs, now }: { leases: readonly Lease[]; ttlMs: number; now: number },
): Promise<Lease[]> {
  const kept: Lease[] = []
  const largest = SIZES.at(-1) ?? 1
  for (let start = 0; start < leases.length; start += largest) {
    const part = leases.slice(start, start + largest)
    const size = SIZES.find((each) => each >= part.length) ?? largest
    // The last lease stands for those that are missing: to renew it twice is to renew it.
    const padded = Array.from({ length: size }, (_, index) => part[index] ?? (part.at(-1) as Lease))
    const places = padded.map((_, index) => `($${index * 3 + 2}, $${index * 3 + 3}, cast($${index * 3 + 4} as bigint))`)
    const rows = await tx.all<LeaseRow>(
      `update leases set expires_at = $1 where (lease_key, holder, token) in (values ${places.join(', ')})
       returning ${COLUMNS}`,
      now + ttlMs,
      ...padded.flatMap(({ key, holder, token }) => [key, holder, token]),
    )
    kept.push(...rows.map(toLease))
  }
  return kept
}

export async function release(tx: Tx, { lease }: { lease: Lease }): Promise<null> {
  await tx.run(
    `update leases set holder = '', expires_at = 0 where lease_key = $1 and holder = $2 and token = $3`,
    lease.key,
    lease.holder,
    lease.token,
  )
  return null
}

export async function releaseAll(tx: Tx, { holder }: { holder: string }): Promise<null> {
  await tx.run(`update leases set holder = '', expires_at = 0 where holder = $1`, holder)
  return null
}

export async function holderOf(tx: Tx, { key }: { key: string }): Promise<Lease | null> {
  const row = await tx.get<LeaseRow>(`select ${COLUMNS} from leases where lease_key = $1 and holder <> ''`, key)
  return row ? toLease(row) : null
}

/**
 * Makes sure that `lease` is a living right to `key`, until the end of this transaction: the row is locked,
 * so a takeover waits for the commit (L3).
 * @throws lease_lost when somebody took it, it was released, it ran out, or it is that of something else
 */
export async function hold(tx: Tx, lease: Lease, key: string, now: number): Promise<void> {
  if (lease.key !== key) throw leaseLost(lease.key)
  const row = await tx.get<LeaseRow>(
    `select ${COLUMNS} from leases where lease_key = $1${tx.dialect.forShare}`,
    lease.key,
  )
  const mine = row?.token === lease.token && row.holder === lease.holder && row.expires_at > now
  if (!mine) throw leaseLost(lease.key)
}

/** The same for what may be a claim still, which is taken here. @returns the lease. @throws lease_lost */
export async function holdOrTake(tx: Tx, right: Lease | Claim, key: string, now: number): Promise<Lease> {
  if ('token' in right) {
    await hold(tx, right, key, now)
    return right
  }
  const lease = right.key === key ? await acquire(tx, { ...right, now }) : null
  if (!lease) throw leaseLost(key)
  return lease
}

function leaseLost(key: string): CarrelError {
  return new CarrelError('lease_lost', 'Somebody else works on this now, so nothing was written. Look again.', { key })
}
