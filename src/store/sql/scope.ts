import { CarrelError } from '../../model/errors.ts'
import type { SettingsScope } from '../../model/settings/environment.ts'
import type { Tx } from './tx.ts'
import { noWorkspace } from './workspace-lines.ts'

/** Returns the scope column: the id of the Space or project, or empty for the whole workspace. */
export const scopeOf = ({ space, project }: Pick<SettingsScope, 'space' | 'project'>): string => project ?? space ?? ''

/** Checks that a scope exists, and locks it until the commit. @throws not_found */
export async function checkScope(tx: Tx, { workspace, space, project }: SettingsScope): Promise<void> {
  const lock = tx.dialect.forShare
  const below =
    project !== null ? (['projects', project] as const) : space !== null ? (['spaces', space] as const) : null
  if (below) {
    const [table, id] = below
    const row = await tx.get(`select id from ${table} where id = $1 and workspace = $2${lock}`, id, workspace)
    if (!row) throw new CarrelError('not_found', `There is no ${id} in this workspace.`, { id })
  }
  const owner = await tx.get(`select id from workspaces where id = $1${lock}`, workspace)
  if (!owner) throw noWorkspace(workspace)
}
