import { CarrelError } from '../../model/errors.ts'
import type { ProjectId, SpaceId, WorkspaceId } from '../../model/ids.ts'
import type { Project, Space, Workspace } from '../../model/tree.ts'
import { toProject, toSpace, toWorkspace } from './rows.ts'
import type { Row, Tx, Value } from './tx.ts'
import { noWorkspace, tell } from './workspace-lines.ts'

/** Columns to change: those of the patch that are said. */
export type Changes = Readonly<Record<string, Value | undefined>>

/** Changes columns of one row and returns it; undefined when it is not in the workspace. */
export async function patchRow(
  tx: Tx,
  table: 'workspaces' | 'spaces' | 'projects' | 'sessions',
  where: { id: string; workspace: string | null },
  changes: Changes,
): Promise<Row | undefined> {
  const said = Object.entries(changes).filter((entry): entry is [string, Value] => entry[1] !== undefined)
  const values: Value[] = [where.id, ...(where.workspace === null ? [] : [where.workspace])]
  const condition = where.workspace === null ? 'id = $1' : 'id = $1 and workspace = $2'
  const sets = said.map(([column, value]) => `${column} = $${values.push(value)}`)
  return sets.length === 0
    ? tx.get(`select * from ${table} where ${condition}`, ...values)
    : tx.get(`update ${table} set ${sets.join(', ')} where ${condition} returning *`, ...values)
}

export async function createWorkspace(
  tx: Tx,
  { workspace, now }: { workspace: Workspace; now: number },
): Promise<Workspace> {
  const made = await tx.run(
    `insert into workspaces (id, name, created_at, archived_at) values ($1, $2, $3, $4) on conflict (id) do nothing`,
    workspace.id,
    workspace.name,
    workspace.createdAt,
    workspace.archivedAt,
  )
  if (made > 0) await tell(tx, workspace.id, [{ type: 'workspace.changed', data: { workspace } }], now)
  const row = await tx.get('select * from workspaces where id = $1', workspace.id)
  if (!row) throw noWorkspace(workspace.id)
  return toWorkspace(row)
}

export async function workspaces(tx: Tx): Promise<Workspace[]> {
  return (await tx.all<Row>('select * from workspaces order by created_at, id')).map(toWorkspace)
}

export async function workspace(tx: Tx, { id }: { id: WorkspaceId }): Promise<Workspace | null> {
  const row = await tx.get('select * from workspaces where id = $1', id)
  return row ? toWorkspace(row) : null
}

export async function updateWorkspace(
  tx: Tx,
  { id, patch, now }: { id: WorkspaceId; patch: { name?: string; archivedAt?: number | null }; now: number },
): Promise<Workspace> {
  const changes = { name: patch.name, archived_at: patch.archivedAt }
  const row = await patchRow(tx, 'workspaces', { id, workspace: null }, changes)
  if (!row) throw noWorkspace(id)
  const changed = toWorkspace(row)
  await tell(tx, id, [{ type: 'workspace.changed', data: { workspace: changed } }], now)
  return changed
}

export async function createSpace(
  tx: Tx,
  { space, folderKey, now }: { space: Space; folderKey: string; now: number },
): Promise<Space> {
  const made = await tx.run(
    `insert into spaces (id, workspace, name, kind, folder, folder_key, state, created_at, archived_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (folder_key) do nothing`,
    space.id,
    space.workspace,
    space.name,
    space.kind,
    space.folder,
    folderKey,
    space.state,
    space.createdAt,
    space.archivedAt,
  )
  if (made === 0) {
    throw new CarrelError('bad_input', 'Another Space has this folder already. Use that one, or choose another folder.')
  }
  await tell(tx, space.workspace, [{ type: 'space.changed', data: { space } }], now)
  return space
}

export async function spaces(tx: Tx, { workspace }: { workspace: WorkspaceId }): Promise<Space[]> {
  return (await tx.all<Row>('select * from spaces where workspace = $1 order by created_at, id', workspace)).map(
    toSpace,
  )
}

export async function space(tx: Tx, { workspace, id }: { workspace: WorkspaceId; id: SpaceId }): Promise<Space | null> {
  const row = await tx.get('select * from spaces where id = $1 and workspace = $2', id, workspace)
  return row ? toSpace(row) : null
}

export async function folders(
  tx: Tx,
): Promise<{ space: SpaceId; workspace: WorkspaceId; folder: string; folderKey: string }[]> {
  const rows = await tx.all<{ id: SpaceId; workspace: WorkspaceId; folder: string; folder_key: string }>(
    'select id, workspace, folder, folder_key from spaces order by folder_key',
  )
  return rows.map(({ id, workspace, folder, folder_key }) => ({ space: id, workspace, folder, folderKey: folder_key }))
}

interface SpacePatch {
  readonly name?: string
  readonly state?: Space['state']
  readonly archivedAt?: number | null
}

export async function updateSpace(
  tx: Tx,
  { workspace, id, patch, now }: { workspace: WorkspaceId; id: SpaceId; patch: SpacePatch; now: number },
): Promise<Space> {
  const changes = { name: patch.name, state: patch.state, archived_at: patch.archivedAt }
  const row = await patchRow(tx, 'spaces', { id, workspace }, changes)
  if (!row) throw new CarrelError('not_found', `There is no Space ${id}.`, { space: id })
  const changed = toSpace(row)
  await tell(tx, workspace, [{ type: 'space.changed', data: { space: changed } }], now)
  return changed
}

export async function createProject(tx: Tx, { project, now }: { project: Project; now: number }): Promise<Project> {
  const { workspace, space } = project
  // Locked, so that a Space that is being removed takes no new Project with it unseen.
  const owner = await tx.get(
    `select id from spaces where id = $1 and workspace = $2${tx.dialect.forShare}`,
    space,
    workspace,
  )
  if (!owner) throw new CarrelError('not_found', `There is no Space ${space}.`, { space })
  await tx.run(
    `insert into projects (id, workspace, space, name, place_kind, place_path, place_state, created_at, archived_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    project.id,
    workspace,
    space,
    project.name,
    project.place.kind,
    project.place.path,
    project.place.state,
    project.createdAt,
    project.archivedAt,
  )
  await tell(tx, workspace, [{ type: 'project.changed', data: { project } }], now)
  return project
}

export async function projects(
  tx: Tx,
  { workspace, space }: { workspace: WorkspaceId; space: SpaceId | undefined },
): Promise<Project[]> {
  const rows =
    space === undefined
      ? await tx.all<Row>('select * from projects where workspace = $1 order by created_at, id', workspace)
      : await tx.all<Row>(
          'select * from projects where workspace = $1 and space = $2 order by created_at, id',
          workspace,
          space,
        )
  return rows.map(toProject)
}

export async function project(
  tx: Tx,
  { workspace, id }: { workspace: WorkspaceId; id: ProjectId },
): Promise<Project | null> {
  const row = await tx.get('select * from projects where id = $1 and workspace = $2', id, workspace)
  return row ? toProject(row) : null
}

interface ProjectPatch {
  readonly name?: string
  readonly archivedAt?: number | null
}

export async function updateProject(
  tx: Tx,
  { workspace, id, patch, now }: { workspace: WorkspaceId; id: ProjectId; patch: ProjectPatch; now: number },
): Promise<Project> {
  const changes = { name: patch.name, archived_at: patch.archivedAt }
  const row = await patchRow(tx, 'projects', { id, workspace }, changes)
  if (!row) throw new CarrelError('not_found', `There is no Project ${id}.`, { project: id })
  const changed = toProject(row)
  await tell(tx, workspace, [{ type: 'project.changed', data: { project: changed } }], now)
  return changed
}
