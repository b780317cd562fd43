import type { SealedSecret } from '../../model/secrets/secrets.ts'
import type { SecretStore } from '../settings-store.ts'
import type { StoreOperation } from './operation.ts'
import { fromJson, toJson } from './rows.ts'
import { checkScope, scopeOf } from './scope.ts'
import type { SqlRow } from './tx.ts'

export const putSecret: StoreOperation<SecretStore['put']> = async (tx, [secret]) => {
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
  const row = await tx.get<SqlRow>(
    'select * from secrets where workspace = $1 and scope = $2 and name = $3',
    secret.workspace,
    scopeOf(secret),
    secret.name,
  )
  const { sealed: _, ...stored } = toSecret(row as SqlRow)
  return stored
}

export const removeSecret: StoreOperation<SecretStore['remove']> = async (tx, [handle]) => {
  const removed = await tx.run(
    'delete from secrets where workspace = $1 and scope = $2 and name = $3',
    handle.workspace,
    scopeOf(handle),
    handle.name,
  )
  return removed > 0
}

export const secrets: StoreOperation<SecretStore['list']> = async (tx, [workspace]) => {
  const rows = await tx.all<SqlRow>('select * from secrets where workspace = $1 order by name, scope', workspace)
  return rows.map(toSecret)
}

/** Pages follow an order that resealing does not change. */
export const sealedOtherwise: StoreOperation<SecretStore['sealedOtherwise']> = async (tx, [key, after, limit]) => {
  const rows = await tx.all<SqlRow>(
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

export const reseal: StoreOperation<SecretStore['reseal']> = async (tx, [secret, was]) => {
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

function toSecret(row: SqlRow): SealedSecret {
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
