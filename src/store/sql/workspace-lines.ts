import { CarrelError } from '../../model/errors.ts'
import type { WorkspaceChange } from '../../model/events/workspace-log.ts'
import type { WorkspaceId } from '../../model/ids.ts'
import type { TreeStore } from '../store.ts'
import type { StoreOperation } from './operation.ts'
import type { Columns, Tx } from './tx.ts'

const LOG: Columns = { workspace: 'text', seq: 'bigint', at: 'bigint', type: 'text', data: 'text' }

/** Queues changes for the log of a workspace. `writeLines` writes them at the end of the transaction. */
export function addLines(tx: Tx, workspace: WorkspaceId, changes: readonly WorkspaceChange[], at: number): void {
  for (const change of changes) tx.lines.push({ workspace, at, change })
}

/**
 * Writes the queued lines, with one update of each workspace's row. Comes last in every transaction: workspace rows are
 * locked after those of leases, tree and session, and in the order of their ids, so that transactions never deadlock.
 * @throws not_found without the workspace
 */
export async function writeLines(tx: Tx): Promise<void> {
  const queued = [...Map.groupBy(tx.lines.splice(0), ({ workspace }) => workspace)]
  for (const [workspace, lines] of queued.sort(([a], [b]) => (a < b ? -1 : 1))) {
    const row = await tx.get<{ head: number }>(
      'update workspaces set head = head + $2 where id = $1 returning head',
      workspace,
      lines.length,
    )
    if (!row) throw noWorkspace(workspace)
    const first = row.head - lines.length + 1
    const rows = lines.map(({ at, change: { type, data } }, n) => [
      workspace,
      first + n,
      at,
      type,
      JSON.stringify(data),
    ])
    await tx.insertMany('workspace_log', LOG, rows)
    tx.rings.push({ log: workspace, head: row.head, due: false })
  }
}

export function noWorkspace(workspace: string): CarrelError {
  return new CarrelError('not_found', `There is no workspace ${workspace}.`, { workspace })
}

export const readWorkspace: StoreOperation<TreeStore['readWorkspace']> = async (tx, [workspace, after, limit]) => {
  const values = [workspace, after, limit]
  const rows = await tx.all<{ seq: number; at: number; type: string; data: string }>(
    'select seq, at, type, data from workspace_log where workspace = $1 and seq > $2 order by seq limit $3',
    ...values,
  )
  const start = `{"workspace":${JSON.stringify(workspace)},"seq":`
  return rows.map(({ seq, at, type, data }) => ({
    seq,
    json: `${start}${seq},"at":${at},"type":${JSON.stringify(type)},"data":${data}}`,
  }))
}

export const workspaceHead: StoreOperation<TreeStore['workspaceHead']> = async (tx, [workspace]) => {
  const row = await tx.get<{ head: number }>('select head from workspaces where id = $1', workspace)
  return row?.head ?? 0
}
