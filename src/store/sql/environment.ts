import {
  changeEnvironment,
  type Environment,
  type EnvironmentChange,
  type SettingsScope,
} from '../../model/environment.ts'
import type { ScopedEnvironment } from '../store.ts'
import { fromJson, toJson } from './rows.ts'
import { checkScope, scopeOf } from './scope.ts'
import type { Row, Tx } from './tx.ts'

export async function environment(tx: Tx, { workspace, space, project }: SettingsScope): Promise<ScopedEnvironment> {
  const rows = await tx.all<Row>(
    'select scope, settings from environment where workspace = $1 and scope in ($2, $3, $4)',
    workspace,
    '',
    space ?? '',
    project ?? '',
  )
  const said = (scope: string | null): Environment => {
    const row = scope === null ? undefined : rows.find((each) => each.scope === scope)
    return fromJson(row?.settings ?? null) ?? {}
  }
  return { workspace: said(''), space: said(space), project: said(project) }
}

/** The row is there and locked before it is read, so that of two changes at once none is lost. */
export async function changeScope(
  tx: Tx,
  { scope, change, now }: { scope: SettingsScope; change: EnvironmentChange; now: number },
): Promise<Environment> {
  await checkScope(tx, scope)
  const key = [scope.workspace, scopeOf(scope)] as const
  await tx.run(
    `insert into environment (workspace, scope, settings, updated_at) values ($1, $2, '{}', $3)
     on conflict (workspace, scope) do nothing`,
    ...key,
    now,
  )
  const row = await tx.get<Row>(
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
