import { CarrelError } from '../../model/errors.ts'
import type { SpaceId } from '../../model/ids.ts'
import type { Machine } from '../../model/machine.ts'
import type { Space } from '../../model/tree.ts'
import { leaseHolderOf, type MachineStore } from '../machine-store.ts'
import { spaceLease } from './leases.ts'
import type { StoreOperation } from './operation.ts'
import { toSpace } from './rows.ts'
import type { SqlRow, Tx } from './tx.ts'
import { addLines } from './workspace-lines.ts'

const toMachine = ({ id, name, version, seen_at: seenAt, left_at: leftAt }: SqlRow): Machine =>
  ({ id, name, version, seenAt, leftAt }) as Machine

/** A second machine of one name gets the beginning of its id behind it. */
export const register: StoreOperation<MachineStore['register']> = async (tx, [machine, now]) => {
  const { id, version, tokenDigest, loginKey } = machine
  const taken = await tx.get('select 1 as taken from machines where name = $1 and id <> $2', machine.name, id)
  const name = taken ? `${machine.name}-${id.slice(0, 6)}` : machine.name
  const row = await tx.get<SqlRow>(
    `insert into machines (id, name, version, token_digest, login_key, seen_at, left_at)
     values ($1, $2, $3, $4, $5, $6, null)
     on conflict (id) do update set name = excluded.name, version = excluded.version,
       token_digest = excluded.token_digest, login_key = excluded.login_key, seen_at = excluded.seen_at, left_at = null
     returning *`,
    ...[id, name, version, tokenDigest, loginKey, now],
  )
  return toMachine(row as SqlRow)
}

export const heard: StoreOperation<MachineStore['heard']> = async (tx, [id, now]) => {
  await tx.run('update machines set seen_at = $2, left_at = null where id = $1', id, now)
}

export const left: StoreOperation<MachineStore['left']> = async (tx, [id, now]) => {
  await tx.run('update machines set left_at = $2 where id = $1', id, now)
}

export const machines: StoreOperation<MachineStore['list']> = async (tx) => {
  return (await tx.all<SqlRow>('select * from machines order by name')).map(toMachine)
}

export const knowsToken: StoreOperation<MachineStore['knowsToken']> = async (tx, [digest]) => {
  return (await tx.get('select 1 as known from machines where token_digest = $1', digest)) !== undefined
}

export const loginKey: StoreOperation<MachineStore['loginKey']> = async (tx, [id]) => {
  return (await tx.get<{ login_key: string }>('select login_key from machines where id = $1', id))?.login_key ?? null
}

export const machineOfSession: StoreOperation<MachineStore['ofSession']> = async (tx, [session]) => {
  const row = await tx.get<{ machine: string }>('select machine from sessions where id = $1', session)
  return row?.machine || null
}

export const spacesOf: StoreOperation<MachineStore['spaces']> = async (tx, [machine]) => {
  const rows = await tx.all<SqlRow>('select * from spaces where machine = $1 order by created_at, id', machine ?? '')
  return rows.map(toSpace)
}

/** Changes the sessions before it reads the leases: an acquisition locks its session, so that both cannot miss each other. */
export const give: StoreOperation<MachineStore['give']> = async (tx, [id, { from, to }, now]) => {
  const row = await tx.get<SqlRow>(`select * from spaces where id = $1${tx.dialect.forUpdate}`, id)
  if (!row) throw new CarrelError('not_found', `There is no Space ${id}.`, { space: id })
  if (row.machine !== (from ?? '')) return null
  const twin = await tx.get<{ name: string }>(
    'select name from spaces where machine = $1 and folder_key = $2 and id <> $3',
    ...[to, row.folder_key as string, id],
  )
  if (twin) {
    const message = `The Space ${twin.name} has the folder ${row.folder} on this machine already. Use that one.`
    throw new CarrelError('bad_input', message, { folder: row.folder })
  }
  await tx.run('update sessions set machine = $2 where space = $1', id, to)
  await refuseHeld(tx, toSpace(row), to, now)
  await endEarlierLeases(tx, id, to)
  const given = await tx.get<SqlRow>('update spaces set machine = $2 where id = $1 returning *', id, to)
  const space = toSpace(given as SqlRow)
  addLines(tx, space.workspace, [{ type: 'space.changed', data: { space } }], now)
  return space
}

async function refuseHeld(tx: Tx, { id, name }: Space, to: string, now: number): Promise<void> {
  const held = await tx.get<{ until: number | null }>(
    `select max(expires_at) as until from leases where expires_at > $1 and holder <> '' and holder <> $2
     and (lease_key = $3 or lease_key in (select 'session:' || s.id from sessions s where s.space = $4))`,
    ...[now, leaseHolderOf(to), spaceLease(id), id],
  )
  if (held?.until == null) return
  const until = new Date(held.until).toISOString()
  const message = `Another machine is at work in the Space ${name}, at least until ${until}. Stop its runs or that Carrel, and try again.`
  throw new CarrelError('busy', message, { space: id, until: held.until })
}

/** Ends leases that expired and that their holder could still renew late: it may not act for this Space any more (N1). */
async function endEarlierLeases(tx: Tx, id: SpaceId, to: string): Promise<void> {
  await tx.run(
    `update leases set holder = '', expires_at = 0 where holder <> $1
     and (lease_key = $2 or lease_key in (select 'session:' || s.id from sessions s where s.space = $3))`,
    ...[leaseHolderOf(to), spaceLease(id), id],
  )
}

export const giveAll: StoreOperation<MachineStore['giveAll']> = async (tx, [to, now]) => {
  await tx.run('update sessions set machine = $1 where machine <> $1', to)
  const rows = await tx.all<SqlRow>('update spaces set machine = $1 where machine <> $1 returning *', to)
  const spaces = rows.map(toSpace)
  for (const space of spaces) addLines(tx, space.workspace, [{ type: 'space.changed', data: { space } }], now)
  return spaces.length
}
