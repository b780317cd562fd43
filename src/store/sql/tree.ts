import { CarrelError } from '../../model/errors.ts'
import type { SpaceId, WorkspaceId } from '../../model/ids.ts'
import type { TreeStore } from '../store.ts'
import type { StoreOperation } from './operation.ts'
import { toProject, toSpace, toWorkspace } from './rows.ts'
import type { SqlRow, SqlValue, Tx } from './tx.ts'
import { addLines, noWorkspace } from './workspace-lines.ts'

/** New values of columns; undefined leaves a column unchanged. */
export type Changes = Readonly<Record<string, SqlValue | undefined>>

/** Changes columns of one row. Returns the row, or undefined when it is not in the workspace. */
export async function patchRow(
  tx: Tx,
  table: 'workspaces' | 'spaces' | 'projects' | 'sessions',
  where: { id: string; workspace: string | null },
  changes: Changes,
): Promise<SqlRow | undefined> {
  const given = Object.entries(changes).filter((entry): entry is [string, SqlValue] => entry[1] !== undefined)
  const values: SqlValue[] = [where.id, ...(where.workspace === null ? [] : [where.workspace])]
  const condition = where.workspace === null ? 'id = $1' : 'id = $1 and workspace = $2'
  const sets = given.map(([column, value]) => `${column} = $${values.push(value)}`)
  return sets.length === 0
    ? tx.get(`select * from ${table} where ${condition}`, ...values)
    : tx.get(`update ${table} set ${sets.join(', ')} where ${condition} returning *`, ...values)
}

export const createWorkspace: StoreOperation<TreeStore['createWorkspace']> = async (tx, [workspace, now]) => {
  const values = [workspace.id, workspace.name, workspace.createdAt, workspace.archivedAt]
  const made = await tx.run(
    `insert into workspaces (id, name, created_at, archived_at) values ($1, $2, $3, $4) on conflict (id) do nothing`,
    ...values,
  )
  if (made > 0) addLines(tx, workspace.id, [{ type: 'workspace.changed', data: { workspace } }], now)
  const row = await tx.get('select * from workspaces where id = $1', workspace.id)
  if (!row) throw noWorkspace(workspace.id)
  return toWorkspace(row)
}

export const workspaces: StoreOperation<TreeStore['workspaces']> = async (tx) => {
  return (await tx.all<SqlRow>('select * from workspaces order by created_at, id')).map(toWorkspace)
}

export const workspace: StoreOperation<TreeStore['workspace']> = async (tx, [id]) => {
  const row = await tx.get('select * from workspaces where id = $1', id)
  return row ? toWorkspace(row) : null
}

export const updateWorkspace: StoreOperation<TreeStore['updateWorkspace']> = async (tx, [id, patch, now]) => {
  const changes = { name: patch.name, archived_at: patch.archivedAt }
  const row = await patchRow(tx, 'workspaces', { id, workspace: null }, changes)
  if (!row) throw noWorkspace(id)
  const changed = toWorkspace(row)
  addLines(tx, id, [{ type: 'workspace.changed', data: { workspace: changed } }], now)
  return changed
}

export const createSpace: StoreOperation<TreeStore['createSpace']> = async (tx, [space, folderKey, now]) => {
  const { id, workspace, name, kind, folder, state, createdAt, archivedAt } = space
  const values = [id, workspace, name, kind, folder, folderKey, state, createdAt, archivedAt, space.machine ?? '']
  const made = await tx.run(
    `insert into spaces (id, workspace, name, kind, folder, folder_key, state, created_at, archived_at, machine)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (machine, folder_key) do nothing`,
    ...values,
  )
  if (made === 0) {
    throw new CarrelError('bad_input', 'Another Space has this folder already. Use that one, or choose another folder.')
  }
  addLines(tx, workspace, [{ type: 'space.changed', data: { space } }], now)
  return space
}

export const spaces: StoreOperation<TreeStore['spaces']> = async (tx, [workspace]) => {
  return (await tx.all<SqlRow>('select * from spaces where workspace = $1 order by created_at, id', workspace)).map(
    toSpace,
  )
}

export const space: StoreOperation<TreeStore['space']> = async (tx, [workspace, id]) => {
  const row = await tx.get('select * from spaces where id = $1 and workspace = $2', id, workspace)
  return row ? toSpace(row) : null
}

export const folders: StoreOperation<TreeStore['folders']> = async (tx, [machine]) => {
  const rows = await tx.all<{ id: SpaceId; workspace: WorkspaceId; folder: string; folder_key: string }>(
    `select id, workspace, folder, folder_key from spaces where machine in ('', $1) order by folder_key`,
    machine,
  )
  return rows.map(({ id, workspace, folder, folder_key }) => ({ space: id, workspace, folder, folderKey: folder_key }))
}

export const updateSpace: StoreOperation<TreeStore['updateSpace']> = async (tx, [workspace, id, patch, now]) => {
  const changes = { name: patch.name, state: patch.state, archived_at: patch.archivedAt }
  const row = await patchRow(tx, 'spaces', { id, workspace }, changes)
  if (!row) throw new CarrelError('not_found', `There is no Space ${id}.`, { space: id })
  const changed = toSpace(row)
  addLines(tx, workspace, [{ type: 'space.changed', data: { space: changed } }], now)
  return changed
}

export const createProject: StoreOperation<TreeStore['createProject']> = async (tx, [project, now]) => {
  const { id, workspace, space, name, place, createdAt, archivedAt } = project
  // Locked, so that a concurrent removal of the Space does not miss the new project.
  const owner = await tx.get(
    `select id from spaces where id = $1 and workspace = $2${tx.dialect.forShare}`,
    space,
    workspace,
  )
  if (!owner) throw new CarrelError('not_found', `There is no Space ${space}.`, { space })
  const values = [id, workspace, space, name, place.kind, place.path, place.state, createdAt, archivedAt]
  await tx.run(
    `insert into projects (id, workspace, space, name, place_kind, place_path, place_state, created_at, archived_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    ...values,
  )
  addLines(tx, workspace, [{ type: 'project.changed', data: { project } }], now)
  return project
}

export const projects: StoreOperation<TreeStore['projects']> = async (tx, [workspace, space]) => {
  const rows =
    space === undefined
      ? await tx.all<SqlRow>('select * from projects where workspace = $1 order by created_at, id', workspace)
      : await tx.all<SqlRow>(
          'select * from projects where workspace = $1 and space = $2 order by created_at, id',
          workspace,
          space,
        )
  return rows.map(toProject)
}

export const project: StoreOperation<TreeStore['project']> = async (tx, [workspace, id]) => {
  const row = await tx.get('select * from projects where id = $1 and workspace = $2', id, workspace)
  return row ? toProject(row) : null
}

export const updateProject: StoreOperation<TreeStore['updateProject']> = async (tx, [workspace, id, patch, now]) => {
  const changes = { name: patch.name, archived_at: patch.archivedAt }
  const row = await patchRow(tx, 'projects', { id, workspace }, changes)
  if (!row) throw new CarrelError('not_found', `There is no project ${id}.`, { project: id })
  const changed = toProject(row)
  addLines(tx, workspace, [{ type: 'project.changed', data: { project: changed } }], now)
  return changed
}
