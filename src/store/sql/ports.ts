import type { LeasedPort } from '../../model/environment.ts'
import type { WorkspaceId } from '../../model/ids.ts'
import type { Row, Tx } from './tx.ts'

/** Those there are, of a workspace, or of one place in it. */
export async function ports(
  tx: Tx,
  { workspace, place }: { workspace: WorkspaceId; place: string | null },
): Promise<LeasedPort[]> {
  const rows = await tx.all<Row>(
    `select * from ports where workspace = $1 and place = coalesce($2, place) order by place, name`,
    workspace,
    place,
  )
  return rows.map(({ place, name, port }) => ({ place, name, port }) as LeasedPort)
}

/** Of all workspaces: the numbers alone. */
export async function portsTaken(tx: Tx): Promise<number[]> {
  return (await tx.all<{ port: number }>('select port from ports')).map(({ port }) => port)
}

/** Null when another one had that number or this place that name first. */
export async function leasePort(
  tx: Tx,
  { workspace, place, name, port, now }: LeasedPort & { workspace: WorkspaceId; now: number },
): Promise<number | null> {
  await tx.run(
    `insert into ports (port, workspace, place, name, leased_at) values ($1, $2, $3, $4, $5) on conflict do nothing`,
    port,
    workspace,
    place,
    name,
    now,
  )
  const row = await tx.get<{ port: number }>('select port from ports where place = $1 and name = $2', place, name)
  return row?.port ?? null
}

export async function releasePorts(tx: Tx, { place }: { place: string }): Promise<null> {
  await tx.run('delete from ports where place = $1', place)
  return null
}
