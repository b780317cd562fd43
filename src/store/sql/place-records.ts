import { CarrelError } from '../../model/errors.ts'
import type { ProjectId, SpaceId, WorkspaceId } from '../../model/ids.ts'
import type { Project, ProjectPlace } from '../../model/tree.ts'
import { fromJson, toJson, toProject } from './rows.ts'
import { patchRow } from './tree.ts'
import type { Tx } from './tx.ts'
import { tell } from './workspace-lines.ts'

interface PlaceChange {
  readonly workspace: WorkspaceId
  readonly id: ProjectId
  readonly place: ProjectPlace
  readonly record?: unknown
  readonly now: number
}

export async function setPlace(tx: Tx, { workspace, id, place, record, now }: PlaceChange): Promise<Project> {
  const row = await patchRow(
    tx,
    'projects',
    { id, workspace },
    {
      place_path: place.path,
      place_state: place.state,
      place_driver: place.driver,
      place_branch: place.branch,
      place_note: place.note,
      place_record: record === undefined ? undefined : toJson(record),
    },
  )
  if (!row) throw new CarrelError('not_found', `There is no Project ${id}.`, { project: id })
  const project = toProject(row)
  await tell(tx, workspace, [{ type: 'project.changed', data: { project } }], now)
  return project
}

export async function placeRecord(
  tx: Tx,
  { workspace, id }: { workspace: WorkspaceId; id: ProjectId },
): Promise<unknown> {
  const row = await tx.get<{ place_record: string | null }>(
    'select place_record from projects where id = $1 and workspace = $2',
    id,
    workspace,
  )
  return fromJson(row?.place_record)
}

export async function fileRules(tx: Tx, { workspace, id }: { workspace: WorkspaceId; id: SpaceId }): Promise<unknown> {
  const row = await tx.get<{ file_rules: string | null }>(
    'select file_rules from spaces where id = $1 and workspace = $2',
    id,
    workspace,
  )
  return fromJson(row?.file_rules)
}

export async function setFileRules(
  tx: Tx,
  { workspace, id, rules }: { workspace: WorkspaceId; id: SpaceId; rules: unknown },
): Promise<null> {
  const row = await patchRow(tx, 'spaces', { id, workspace }, { file_rules: toJson(rules) })
  if (!row) throw new CarrelError('not_found', `There is no Space ${id}.`, { space: id })
  return null
}
