import { changeEnvironment, type Environment } from '../../model/settings/environment.ts'
import type { EnvironmentStore } from '../settings-store.ts'
import type { StoreOperation } from './operation.ts'
import { fromJson, toJson } from './rows.ts'
import { checkScope, scopeOf } from './scope.ts'
import type { SqlRow } from './tx.ts'

export const environment: StoreOperation<EnvironmentStore['at']> = async (tx, [{ workspace, space, project }]) => {
  const values = [workspace, '', space ?? '', project ?? '']
  const rows = await tx.all<SqlRow>(
    'select scope, settings from environment where workspace = $1 and scope in ($2, $3, $4)',
    ...values,
  )
  const settingsOf = (scope: string | null): Environment => {
    const row = scope === null ? undefined : rows.find((each) => each.scope === scope)
    return fromJson(row?.settings ?? null) ?? {}
  }
  return { workspace: settingsOf(''), space: settingsOf(space), project: settingsOf(project) }
}

/** Creates and locks the row before it is read, so that concurrent changes are not lost. */
export const changeScope: StoreOperation<EnvironmentStore['change']> = async (tx, [scope, change, now]) => {
  await checkScope(tx, scope)
  const key = [scope.workspace, scopeOf(scope)] as const
  await tx.run(
    `insert into environment (workspace, scope, settings, updated_at) values ($1, $2, '{}', $3)
     on conflict (workspace, scope) do nothing`,
    ...key,
    now,
  )
  const row = await tx.get<SqlRow>(
    `select settings from environment where workspace = $1 and scope = $2${tx.dialect.forUpdate}`,
    ...key,
  )
  const settings = changeEnvironment(fromJson(row?.settings ?? null) ?? {}, change)
  await tx.run(
    'update environment set settings = $3, updated_at = $4 where workspace = $1 and scope = $2',
    ...key,
    toJson(settings),
    now,
  )
  return settings
}
