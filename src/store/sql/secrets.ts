import type { SealedSecret } from '../../model/secrets/secrets.ts'
import type { SecretStore } from '../settings-store.ts'
import type { StoreOperation } from './operation.ts'
import { fromJson, toJson } from './rows.ts'
import { checkScope, scopeOf } from './scope.ts'
import type { SqlRow } from './tx.ts'

export const putSecret: StoreOperation<SecretStore['put']> = async (tx, [secret]) => {
  const { workspace, name, space, project, give, key, sealed, createdAt, updatedAt } = secret
  await checkScope(tx, secret)
  const values = [workspace, scopeOf(secret), name, space, project, toJson(give), key, sealed, createdAt, updatedAt]
  await tx.run(
    `insert into secrets (workspace, scope, name, space, project, give, key_id, sealed, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     on conflict (workspace, scope, name) do update
     set give = excluded.give, key_id = excluded.key_id, sealed = excluded.sealed, updated_at = excluded.updated_at`,
    ...values,
  )
  const handle = [secret.workspace, scopeOf(secret), secret.name]
  const row = await tx.get<SqlRow>('select * from secrets where workspace = $1 and scope = $2 and name = $3', ...handle)
  const { sealed: _sealed, ...stored } = toSecret(row as SqlRow)
  return stored
}

export const removeSecret: StoreOperation<SecretStore['remove']> = async (tx, [handle]) => {
  const values = [handle.workspace, scopeOf(handle), handle.name]
  const removed = await tx.run('delete from secrets where workspace = $1 and scope = $2 and name = $3', ...values)
  return removed > 0
}

export const secrets: StoreOperation<SecretStore['list']> = async (tx, [workspace]) => {
  const rows = await tx.all<SqlRow>('select * from secrets where workspace = $1 order by name, scope', workspace)
  return rows.map(toSecret)
}

/** Pages follow an order that resealing does not change. */
export const sealedOtherwise: StoreOperation<SecretStore['sealedOtherwise']> = async (tx, [key, after, limit]) => {
  const values = [key, after?.workspace ?? '', after ? scopeOf(after) : '', after?.name ?? '', limit]
  const rows = await tx.all<SqlRow>(
    `select * from secrets where key_id <> $1 and (workspace, scope, name) > ($2, $3, $4)
     order by workspace, scope, name limit $5`,
    ...values,
  )
  return rows.map(toSecret)
}

export const reseal: StoreOperation<SecretStore['reseal']> = async (tx, [secret, was]) => {
  const values = [secret.workspace, scopeOf(secret), secret.name, secret.key, secret.sealed, was]
  const changed = await tx.run(
    `update secrets set key_id = $4, sealed = $5
     where workspace = $1 and scope = $2 and name = $3 and sealed = $6`,
    ...values,
  )
  return changed > 0
}

function toSecret(row: SqlRow): SealedSecret {
  const { workspace, space, project, name, key_id: key, sealed, created_at: createdAt, updated_at: updatedAt } = row
  return {
    workspace,
    space,
    project,
    name,
    give: fromJson(row.give),
    key,
    sealed,
    createdAt,
    updatedAt,
  } as SealedSecret
}
