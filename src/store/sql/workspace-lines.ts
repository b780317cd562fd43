import { CarrelError } from '../../model/errors.ts'
import type { WorkspaceId } from '../../model/ids.ts'
import type { WorkspaceChange } from '../../model/workspace-log.ts'
import type { Line } from '../store.ts'
import type { Columns, Tx } from './tx.ts'

const LOG: Columns = { workspace: 'text', seq: 'bigint', at: 'bigint', type: 'text', data: 'text' }

/**
 * Appends to the workspace log. Comes last in a transaction: this row is locked after those of leases, tree and
 * session everywhere, so that no two transactions wait for each other.
 * @throws not_found when there is no such workspace
 */
export async function tell(
  tx: Tx,
  workspace: WorkspaceId,
  changes: readonly WorkspaceChange[],
  now: number,
): Promise<void> {
  if (changes.length === 0) return
  const row = await tx.get<{ head: number }>(
    'update workspaces set head = head + $2 where id = $1 returning head',
    workspace,
    changes.length,
  )
  if (!row) throw noWorkspace(workspace)
  const before = row.head - changes.length
  const rows = changes.map(({ type, data }, index) => [workspace, before + index + 1, now, type, JSON.stringify(data)])
  await tx.insertMany('workspace_log', LOG, rows)
  tx.ring({ log: workspace, head: row.head, due: false })
}

export function noWorkspace(workspace: string): CarrelError {
  return new CarrelError('not_found', `There is no workspace ${workspace}.`, { workspace })
}

export async function readWorkspace(
  tx: Tx,
  { workspace, after, limit }: { workspace: WorkspaceId; after: number; limit: number },
): Promise<Line[]> {
  const rows = await tx.all<{ seq: number; at: number; type: string; data: string }>(
    'select seq, at, type, data from workspace_log where workspace = $1 and seq > $2 order by seq limit $3',
    workspace,
    after,
    limit,
  )
  const start = `{"workspace":${JSON.stringify(workspace)},"seq":`
  return rows.map(({ seq, at, type, data }) => ({
    seq,
    json: `${start}${seq},"at":${at},"type":${JSON.stringify(type)},"data":${data}}`,
  }))
}

export async function workspaceHead(tx: Tx, { workspace }: { workspace: WorkspaceId }): Promise<number> {
  const row = await tx.get<{ head: number }>('select head from workspaces where id = $1', workspace)
  return row?.head ?? 0
}
