import type { LeasedPort } from '../../model/settings/environment.ts'
import type { PortStore } from '../settings-store.ts'
import type { StoreOperation } from './operation.ts'
import type { SqlRow } from './tx.ts'

export const ports: StoreOperation<PortStore['of']> = async (tx, [workspace, place]) => {
  const rows = await tx.all<SqlRow>(
    `select * from ports where workspace = $1 and place = coalesce($2, place) order by place, name`,
    workspace,
    place,
  )
  return rows.map(({ place, name, port }) => ({ place, name, port }) as LeasedPort)
}

export const portsTaken: StoreOperation<PortStore['taken']> = async (tx) => {
  return (await tx.all<{ port: number }>('select port from ports')).map(({ port }) => port)
}

/** Relies on both unique indexes: another place may have the port, and the place may have the name already. */
export const leasePort: StoreOperation<PortStore['lease']> = async (tx, [workspace, { place, name, port }, now]) => {
  const values = [port, workspace, place, name, now]
  await tx.run(
    `insert into ports (port, workspace, place, name, leased_at) values ($1, $2, $3, $4, $5) on conflict do nothing`,
    ...values,
  )
  const row = await tx.get<{ port: number }>('select port from ports where place = $1 and name = $2', place, name)
  return row?.port ?? null
}

export const releasePorts: StoreOperation<PortStore['release']> = async (tx, [place]) => {
  await tx.run('delete from ports where place = $1', place)
}
