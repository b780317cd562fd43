import {
  changeSurroundings,
  type SettingsScope,
  type Surroundings,
  type SurroundingsChange,
} from '../../model/surroundings.ts'
import type { ScopedSurroundings } from '../store.ts'
import { fromJson, toJson } from './rows.ts'
import { checkScope, scopeOf } from './scope.ts'
import type { Row, Tx } from './tx.ts'

export async function surroundings(tx: Tx, { workspace, space, project }: SettingsScope): Promise<ScopedSurroundings> {
  const rows = await tx.all<Row>(
    'select scope, settings from surroundings where workspace = $1 and scope in ($2, $3, $4)',
    workspace,
    '',
    space ?? '',
    project ?? '',
  )
  const said = (scope: string | null): Surroundings => {
    const row = scope === null ? undefined : rows.find((each) => each.scope === scope)
    return fromJson(row?.settings ?? null) ?? {}
  }
  return { workspace: said(''), space: said(space), project: said(project) }
}

/** The row is there and locked before it is read, so that of two changes at once none is lost. */
export async function changeScope(
  tx: Tx,
  { scope, change, now }: { scope: SettingsScope; change: SurroundingsChange; now: number },
): Promise<Surroundings> {
  await checkScope(tx, scope)
  const key = [scope.workspace, scopeOf(scope)] as const
  await tx.run(
    `insert into surroundings (workspace, scope, settings, updated_at) values ($1, $2, '{}', $3)
     on conflict (workspace, scope) do nothing`,
    ...key,
    now,
  )
  const row = await tx.get<Row>(
    `select settings from surroundings where workspace = $1 and scope = $2${tx.dialect.forUpdate}`,
    ...key,
  )
  const settings = changeSurroundings(fromJson(row?.settings ?? null) ?? {}, change)
  await tx.run(
    'update surroundings set settings = $3, updated_at = $4 where workspace = $1 and scope = $2',
    ...key,
    toJson(settings),
    now,
  )
  return settings
}
