import type { WorkspaceId } from '../../model/ids.ts'
import type { SealedSecret, Secret } from '../../model/secrets.ts'
import type { SecretHandle } from '../store.ts'
import { fromJson, toJson } from './rows.ts'
import { checkScope, scopeOf } from './scope.ts'
import type { Row, Tx } from './tx.ts'

export async function putSecret(tx: Tx, { secret }: { secret: SealedSecret }): Promise<Secret> {
  await checkScope(tx, secret)
  await tx.run(
    `insert into secrets (workspace, scope, name, space, project, give, key_id, sealed, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     on conflict (workspace, scope, name) do update
     set give = excluded.give, key_id = excluded.key_id, sealed = excluded.sealed, updated_at = excluded.updated_at`,
    secret.workspace,
    scopeOf(secret),
    secret.name,
    secret.space,
    secret.project,
    toJson(secret.give),
    secret.key,
    secret.sealed,
    secret.createdAt,
    secret.updatedAt,
  )
  const row = await tx.get<Row>(
    'select * from secrets where workspace = $1 and scope = $2 and name = $3',
    secret.workspace,
    scopeOf(secret),
    secret.name,
  )
  const { sealed: _, ...stored } = toSecret(row as Row)
  return stored
}

export async function removeSecret(tx: Tx, { handle }: { handle: SecretHandle }): Promise<boolean> {
  const removed = await tx.run(
    'delete from secrets where workspace = $1 and scope = $2 and name = $3',
    handle.workspace,
    scopeOf(handle),
    handle.name,
  )
  return removed > 0
}

export async function secrets(tx: Tx, { workspace }: { workspace: WorkspaceId }): Promise<SealedSecret[]> {
  const rows = await tx.all<Row>('select * from secrets where workspace = $1 order by name, scope', workspace)
  return rows.map(toSecret)
}

/** Of all workspaces, in an order that resealing does not change. */
export async function sealedOtherwise(
  tx: Tx,
  { key, after, limit }: { key: string; after: SecretHandle | null; limit: number },
): Promise<SealedSecret[]> {
  const rows = await tx.all<Row>(
    `select * from secrets where key_id <> $1 and (workspace, scope, name) > ($2, $3, $4)
     order by workspace, scope, name limit $5`,
    key,
    after?.workspace ?? '',
    after ? scopeOf(after) : '',
    after?.name ?? '',
    limit,
  )
  return rows.map(toSecret)
}

export async function reseal(tx: Tx, { secret, was }: { secret: SealedSecret; was: string }): Promise<boolean> {
  const changed = await tx.run(
    `update secrets set key_id = $4, sealed = $5
     where workspace = $1 and scope = $2 and name = $3 and sealed = $6`,
    secret.workspace,
    scopeOf(secret),
    secret.name,
    secret.key,
    secret.sealed,
    was,
  )
  return changed > 0
}

function toSecret(row: Row): SealedSecret {
  return {
    workspace: row.workspace,
    space: row.space,
    project: row.project,
    name: row.name,
    give: fromJson(row.give),
    key: row.key_id,
    sealed: row.sealed,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  } as SealedSecret
}
