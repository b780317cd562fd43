import { CarrelError } from '../../model/errors.ts'
import type { SessionId, SpaceId } from '../../model/ids.ts'
import type { Claim, Lease, LeaseStore } from '../lease.ts'
import { leaseHolderOf } from '../machine-store.ts'
import type { StoreOperation } from './operation.ts'
import type { Work } from './project.ts'
import type { Tx } from './tx.ts'

interface LeaseRow {
  readonly lease_key: string
  readonly holder: string
  readonly token: number
  readonly expires_at: number
}

const COLUMNS = 'lease_key, holder, token, expires_at'
/** The holder of a released lease. Its row stays, because the token may only grow (S1). */
const RELEASED = ''

export const spaceLease = (space: SpaceId): string => `space:${space}`

export const sessionLease = (session: SessionId): string => `session:${session}`

const toLease = (row: LeaseRow): Lease => ({
  key: row.lease_key,
  holder: row.holder,
  token: row.token,
  expiresAt: row.expires_at,
})

export const acquire: StoreOperation<LeaseStore['acquire']> = async (tx, [key, holder, ttlMs, now]) => {
  if (holder === RELEASED) throw new CarrelError('bad_input', 'The holder of a lease needs a name.')
  return mayHold(holder, await machineOf(tx, key)) ? await take(tx, { key, holder, ttlMs }, now) : null
}

/** Whether a holder may work on a Space of `machine`: no other machine has the right to (N1). */
const mayHold = (holder: string, machine: string): boolean => machine === '' || holder === leaseHolderOf(machine)

/** Returns the machine of a Space or session by its lease key, and locks the row: a change of machine waits. */
async function machineOf(tx: Tx, key: string): Promise<string> {
  const [, noun, id] = /^(session|space):(.*)$/.exec(key) ?? []
  if (noun === undefined || id === undefined) return ''
  const row = await tx.get<{ machine: string }>(`select machine from ${noun}s where id = $1${tx.dialect.forShare}`, id)
  return row?.machine ?? ''
}

/**
 * Takes a lease in one statement, so that two nodes cannot both win. Every success raises the token, also for the same
 * holder: a write still in flight from its earlier process is fenced off.
 */
async function take(tx: Tx, { key, holder, ttlMs }: Claim, now: number): Promise<Lease | null> {
  const values = [key, holder, now + ttlMs, now]
  const row = await tx.get<LeaseRow>(
    `insert into leases (${COLUMNS}) values ($1, $2, 1, $3)
     on conflict (lease_key) do update
       set holder = excluded.holder, token = leases.token + 1, expires_at = excluded.expires_at
       where leases.expires_at <= $4 or leases.holder = excluded.holder
     returning ${COLUMNS}`,
    ...values,
  )
  return row ? toLease(row) : null
}

export const renew: StoreOperation<LeaseStore['renew']> = async (tx, [lease, ttlMs, now]) => {
  const values = [lease.key, lease.holder, lease.token, now + ttlMs]
  const row = await tx.get<LeaseRow>(
    `update leases set expires_at = $4 where lease_key = $1 and holder = $2 and token = $3 returning ${COLUMNS}`,
    ...values,
  )
  if (!row) throw leaseLost(lease.key)
  return toLease(row)
}

/** Numbers of leases in one statement: few sizes, so that few statements are prepared. */
const SIZES = [1, 10, 100]

export const renewAll: StoreOperation<LeaseStore['renewAll']> = async (tx, [leases, ttlMs, now]) => {
  const kept: Lease[] = []
  const largest = SIZES.at(-1) ?? 1
  for (let start = 0; start < leases.length; start += largest) {
    const part = leases.slice(start, start + largest)
    const size = SIZES.find((each) => each >= part.length) ?? largest
    // The last lease fills the rest, because renewing is idempotent.
    const padded = Array.from({ length: size }, (_, index) => part[index] ?? (part.at(-1) as Lease))
    const tuples = padded.map((_, index) => `($${index * 3 + 2}, $${index * 3 + 3}, cast($${index * 3 + 4} as bigint))`)
    const rows = await tx.all<LeaseRow>(
      `update leases set expires_at = $1 where (lease_key, holder, token) in (values ${tuples.join(', ')})
       returning ${COLUMNS}`,
      now + ttlMs,
      ...padded.flatMap(({ key, holder, token }) => [key, holder, token]),
    )
    kept.push(...rows.map(toLease))
  }
  return kept
}

export const release: StoreOperation<LeaseStore['release']> = async (tx, [lease]) => {
  const values = [lease.key, lease.holder, lease.token]
  await tx.run(
    `update leases set holder = '', expires_at = 0 where lease_key = $1 and holder = $2 and token = $3`,
    ...values,
  )
}

export const releaseAll: StoreOperation<LeaseStore['releaseAll']> = async (tx, [holder]) => {
  await tx.run(`update leases set holder = '', expires_at = 0 where holder = $1`, holder)
}

export const holderOf: StoreOperation<LeaseStore['holderOf']> = async (tx, [key]) => {
  const row = await tx.get<LeaseRow>(`select ${COLUMNS} from leases where lease_key = $1 and holder <> ''`, key)
  return row ? toLease(row) : null
}

/**
 * Checks that `lease` is a valid lease of `key`, and locks its row: a takeover waits for the commit (L3).
 * @throws lease_lost when another holder acquired it, it was released, it expired, or it has another key
 */
export async function hold(tx: Tx, lease: Lease, key: string, now: number): Promise<void> {
  if (lease.key !== key) throw leaseLost(lease.key)
  const row = await tx.get<LeaseRow>(
    `select ${COLUMNS} from leases where lease_key = $1${tx.dialect.forShare}`,
    lease.key,
  )
  const valid = row?.token === lease.token && row.holder === lease.holder && row.expires_at > now
  if (!valid) throw leaseLost(lease.key)
}

/** Checks a lease of a locked session like `hold`, or takes the lease of a claim. @throws lease_lost */
export async function holdOrTake(
  tx: Tx,
  right: Lease | Claim,
  { row, now }: Pick<Work, 'row' | 'now'>,
): Promise<Lease> {
  const key = sessionLease(row.id)
  if ('token' in right) {
    await hold(tx, right, key, now)
    return right
  }
  const lease = right.key === key && mayHold(right.holder, row.machine) ? await take(tx, right, now) : null
  if (!lease) throw leaseLost(key)
  return lease
}

function leaseLost(key: string): CarrelError {
  return new CarrelError(
    'lease_lost',
    'Another node or process works on this now, so nothing was written. Reload and try again.',
    { key },
  )
}
